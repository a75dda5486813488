/**
 * Asks DNS servers for the addresses of one full name, both kinds at once. Each question has sockets of its own (c-ares),
 * so none waits for another, whatever server does not answer.
 */
import type { RecordWithTtl } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import type { ResolverConfig } from './systemFiles.ts';

export interface FoundAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export type Found =
  | { readonly kind: 'found'; readonly addresses: readonly FoundAddress[]; readonly ttlSeconds: number }
  /** There is no such name, or it has no address. */
  | { readonly kind: 'absent' }
  /** A server said that it failed, or refuses to answer. */
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'unanswered' };

/** Once one kind of address is known the other is waited for no longer than this: some servers never answer about IPv6. */
const secondKindMs = 300;

/** Ends with `signal` as unanswered. Never rejects. */
export async function askForAddresses(
  name: string,
  config: ResolverConfig,
  signal: AbortSignal,
): Promise<Found> {
  if (signal.aborted) return { kind: 'unanswered' };
  const resolver = new Resolver({ timeout: config.timeoutMs, tries: config.attempts });
  resolver.setServers([...config.servers]);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  let patience: NodeJS.Timeout | null = null;
  const settle = (found: Found) => {
    if (found.kind === 'found') patience ??= setTimeout(cancel, secondKindMs);
    return found;
  };
  try {
    const [four, six] = await Promise.all([
      ask(4, () => resolver.resolve4(name, { ttl: true })).then(settle),
      ask(6, () => resolver.resolve6(name, { ttl: true })).then(settle),
    ]);
    return join(four, six);
  } finally {
    if (patience) clearTimeout(patience);
    signal.removeEventListener('abort', cancel);
  }
}

async function ask(family: 4 | 6, question: () => Promise<RecordWithTtl[]>): Promise<Found> {
  try {
    const records = await question();
    if (records.length === 0) return { kind: 'absent' };
    return {
      kind: 'found',
      addresses: records.map(({ address }) => ({ address, family })),
      ttlSeconds: Math.min(...records.map(({ ttl }) => ttl)),
    };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    switch (code) {
      case 'ENOTFOUND':
      case 'ENODATA':
      // A name that no DNS message can hold.
      case 'EBADNAME':
        return { kind: 'absent' };
      case 'ETIMEOUT':
      case 'ECANCELLED':
      // Nothing listens where the server should be.
      case 'ECONNREFUSED':
        return { kind: 'unanswered' };
      default:
        return { kind: 'failed', code };
    }
  }
}

function join(four: Found, six: Found): Found {
  const found = [four, six].filter((each) => each.kind === 'found');
  if (found.length > 0) {
    return {
      kind: 'found',
      addresses: found.flatMap((each) => each.addresses),
      ttlSeconds: Math.min(...found.map((each) => each.ttlSeconds)),
    };
  }
  for (const kind of ['unanswered', 'failed'] as const) {
    const each = [four, six].find((one) => one.kind === kind);
    if (each) return each;
  }
  return { kind: 'absent' };
}
