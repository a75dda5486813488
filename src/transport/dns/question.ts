/**
 * Asks DNS servers for the addresses of one full name, both kinds at once. Each question has sockets of its own (c-ares),
 * so none waits for another, even if a server does not answer.
 */
import type { RecordWithTtl } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { errorCode } from '../../basics/errorCode.ts';
import type { ResolverConfig } from './systemFiles.ts';

export interface FoundAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export type Found =
  | { readonly kind: 'found'; readonly addresses: readonly FoundAddress[]; readonly ttlSeconds: number }
  /** The name does not exist, or has no address. */
  | { readonly kind: 'absent' }
  /** A server reported a failure, or refuses to answer. */
  | { readonly kind: 'failed' }
  | { readonly kind: 'unanswered' };

/** How long to wait for the other kind of address once one is known: some servers never answer about IPv6. */
const secondKindMs = 300;

/** Ends with `signal` as unanswered. Never rejects. */
export async function askForAddresses(
  name: string,
  config: ResolverConfig,
  signal: AbortSignal,
): Promise<Found> {
  const impatient = new AbortController();
  const ended = AbortSignal.any([signal, impatient.signal]);
  let patience: NodeJS.Timeout | undefined;
  const ask = async (family: 4 | 6): Promise<Found> => {
    const found = await askServers(name, family, config, ended);
    if (found.kind === 'found') patience ??= setTimeout(() => impatient.abort(), secondKindMs);
    return found;
  };
  try {
    return join(await Promise.all([ask(4), ask(6)]));
  } finally {
    clearTimeout(patience);
  }
}

/** c-ares tries the next server if one does not answer, but not if one reports a failure. */
async function askServers(
  name: string,
  family: 4 | 6,
  { servers, timeoutMs, attempts }: ResolverConfig,
  signal: AbortSignal,
): Promise<Found> {
  let found: Found = { kind: 'unanswered' };
  for (let first = 0; first < servers.length && !signal.aborted; first += 1) {
    const resolver = new Resolver({ timeout: timeoutMs, tries: attempts });
    resolver.setServers(servers.slice(first));
    const cancel = () => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    found = await toFound(
      family,
      family === 4 ? resolver.resolve4(name, withTtl) : resolver.resolve6(name, withTtl),
    );
    signal.removeEventListener('abort', cancel);
    if (found.kind !== 'failed') return found;
  }
  return found;
}

const withTtl = { ttl: true } as const;

async function toFound(family: 4 | 6, question: Promise<RecordWithTtl[]>): Promise<Found> {
  try {
    const records = await question;
    if (records.length === 0) return { kind: 'absent' };
    return {
      kind: 'found',
      addresses: records.map(({ address }) => ({ address, family })),
      ttlSeconds: Math.min(...records.map(({ ttl }) => ttl)),
    };
  } catch (error) {
    switch (errorCode(error)) {
      case 'ENOTFOUND':
      case 'ENODATA':
      // A name that does not fit into a DNS message.
      case 'EBADNAME':
        return { kind: 'absent' };
      case 'ETIMEOUT':
      case 'ECANCELLED':
      // Nothing listens where the server should be.
      case 'ECONNREFUSED':
        return { kind: 'unanswered' };
      default:
        return { kind: 'failed' };
    }
  }
}

function join(both: readonly Found[]): Found {
  const found = both.filter((each) => each.kind === 'found');
  if (found.length > 0) {
    return {
      kind: 'found',
      addresses: found.flatMap((each) => each.addresses),
      ttlSeconds: Math.min(...found.map((each) => each.ttlSeconds)),
    };
  }
  for (const kind of ['unanswered', 'failed'] as const) {
    const each = both.find((one) => one.kind === kind);
    if (each) return each;
  }
  return { kind: 'absent' };
}
