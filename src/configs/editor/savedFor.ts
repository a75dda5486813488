/**
 * What a stored value was saved for: one receiver, by scheme, host and port, and how it has to prove its identity. A value
 * that stays hidden is sent nowhere else; otherwise anyone who may change the endpoint could read it.
 */

import { spell } from '../../basics/spell.ts';
import { type Manifest, typedEndpointAnnotation } from '../schema.ts';
import { listUnits } from './specUnits.ts';

/** `https://otel.example.com:4318`; null: it cannot be read. A dot behind the host makes it a different one: search domains differ. */
export function originOf(endpoint: unknown): string | null {
  if (typeof endpoint !== 'string' || !/^https?:\/\//i.test(endpoint) || !URL.canParse(endpoint)) return null;
  return new URL(endpoint).origin;
}

/** For people: `otel.example.com:4318`. */
export function receiverOf(spec: unknown): string {
  const origin = originOf(listUnits(spec).get('endpoint'));
  return origin === null ? 'another endpoint' : new URL(origin).host;
}

/**
 * Whether values that were saved with `stored` may be sent where `wanted` leads: the scheme, host and port are the same, so are
 * the authority and name that prove it, and no check is dropped. The path may differ.
 */
export function isSameReceiver(stored: unknown, wanted: unknown): boolean {
  const [before, after] = [listUnits(stored), listUnits(wanted)];
  const origin = originOf(before.get('endpoint'));
  const isSame = (unit: string): boolean => spell(before.get(unit)) === spell(after.get(unit));
  return (
    origin !== null &&
    origin === originOf(after.get('endpoint')) &&
    isSame('tls.caSecretRef') &&
    isSame('tls.serverName') &&
    (after.get('tls.insecureSkipVerify') !== true || before.get('tls.insecureSkipVerify') === true)
  );
}

/** For a manifest in a directory; in a cluster, the owner of the field tells. */
export function isTypedOnPage({ metadata, spec }: Manifest): boolean {
  const typed = metadata.annotations?.[typedEndpointAnnotation];
  return typed !== undefined && typed === originOf(spec.endpoint);
}
