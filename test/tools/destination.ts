import type { Destination } from '../../src/model/exportConfig.ts';
import { Secret } from '../../src/model/secret.ts';

/** A destination at `url` with no headers, no compression and 5 s; `changes` replaces any of it. */
export function makeDestination(
  url: string,
  changes: Partial<Omit<Destination, 'url' | 'headers'>> & { readonly headers?: Record<string, string> } = {},
): Destination {
  const { headers = {}, ...rest } = changes;
  return {
    url: new URL(url),
    headers: Object.entries(headers).map(([name, value]) => ({ name, value: new Secret(value) })),
    compression: 'none',
    timeoutMs: 5_000,
    tls: { insecureSkipVerify: false },
    fingerprint: 'test',
    ...rest,
  };
}
