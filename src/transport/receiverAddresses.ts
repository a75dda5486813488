/**
 * The addresses to connect to, each allowed by the guard. The connection uses exactly these addresses, so a name cannot change
 * its answer in between (DNS rebinding). Names with several addresses keep those that are allowed.
 */
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { Destination } from '../model/exportConfig.ts';
import type { AddressGuard, AddressRefusal } from './addressGuard.ts';
import type { ResolveName } from './dns/nameResolver.ts';

export class AddressRefusedError extends Error {
  readonly refusal: AddressRefusal;

  constructor(refusal: AddressRefusal) {
    super(`${refusal.address} is in ${refusal.range}`);
    this.refusal = refusal;
  }
}

/**
 * @param hostname a name or an address, IPv6 without brackets.
 * @throws AddressRefusedError when no address is allowed, and what `resolveName` throws.
 */
export async function findAddresses(
  hostname: string,
  target: { readonly port: number; readonly policy: NonNullable<Destination['addresses']> },
  guard: AddressGuard,
  resolveName: (hostname: string) => ReturnType<ResolveName>,
): Promise<readonly LookupAddress[]> {
  const family = isIP(hostname);
  const found = family === 0 ? await resolveName(hostname) : [{ address: hostname, family }];
  let firstRefusal: AddressRefusal | null = null;
  const allowed: LookupAddress[] = [];
  for (const entry of found) {
    const refusal = guard.check(entry.address, target);
    if (refusal) firstRefusal ??= refusal;
    else allowed.push(entry);
  }
  if (allowed.length > 0) return allowed;
  if (firstRefusal) throw new AddressRefusedError(firstRefusal);
  throw Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' });
}
