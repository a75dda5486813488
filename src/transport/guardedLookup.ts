/**
 * Name resolution as a socket sees it: the addresses it returns are the ones connected to, and the guard has passed
 * each of them. Names with several addresses keep those that are allowed.
 */
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import type { AddressGuard, AddressRefusal } from './addressGuard.ts';

/** All addresses of a name, best first. Rejects as `dns.lookup` does. */
export type ResolveName = (hostname: string) => Promise<LookupAddress[]>;

export class AddressRefusedError extends Error {
  readonly code = 'ERR_ADDRESS_REFUSED';
  readonly refusal: AddressRefusal;

  constructor(refusal: AddressRefusal) {
    super(`${refusal.address} is in ${refusal.range}`);
    this.refusal = refusal;
  }
}

/**
 * The system's resolver (hosts file, search domains). Callers that ask for one name at the same time share one
 * question: `getaddrinfo` holds a thread of Node's small pool for as long as a dead DNS server lets it wait, and
 * without sharing a few streams with one dead name would hold them all.
 */
export function makeSystemResolver(): ResolveName {
  const underWay = new Map<string, Promise<LookupAddress[]>>();
  return (hostname) => {
    const shared = underWay.get(hostname);
    if (shared) return shared;
    const question = lookup(hostname, { all: true }).finally(() => underWay.delete(hostname));
    underWay.set(hostname, question);
    return question;
  };
}

/** A `lookup` for net and tls sockets. Fails with `AddressRefusedError` when no address of the name is allowed. */
export function makeGuardedLookup(guard: AddressGuard, resolveName: ResolveName): LookupFunction {
  return (hostname, options, callback) => {
    resolveName(hostname).then(
      (addresses) => {
        const result = keepAllowed(hostname, addresses, guard);
        // Out of the promise: what the socket throws in its callback must not become our rejection.
        queueMicrotask(() => {
          if (result instanceof Error) callback(result, [], 0);
          else if (options.all) callback(null, [...result]);
          else callback(null, result[0].address, result[0].family);
        });
      },
      (error: NodeJS.ErrnoException) => queueMicrotask(() => callback(error, [], 0)),
    );
  };
}

function keepAllowed(
  hostname: string,
  addresses: readonly LookupAddress[],
  guard: AddressGuard,
): readonly [LookupAddress, ...LookupAddress[]] | Error {
  let firstRefusal: AddressRefusal | null = null;
  const allowed: LookupAddress[] = [];
  for (const entry of addresses) {
    const refusal = guard.check(entry.address);
    if (refusal) firstRefusal ??= refusal;
    else allowed.push(entry);
  }
  const [first, ...rest] = allowed;
  if (first) return [first, ...rest];
  if (firstRefusal) return new AddressRefusedError(firstRefusal);
  return Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' });
}
