/** Finds the client's address: that of the connection or, behind a trusted proxy, the one that the proxy names. */
import type { Request } from 'express';
import ipaddr from 'ipaddr.js';
import { isInside, parseNetwork } from '../../settings/networks.ts';

/** The function returns null behind a proxy that is not trusted: everybody behind it has its address. */
export function makeClientAddress(trustedProxies: readonly string[]): (request: Request) => string | null {
  const isTrusted = makeIsTrusted(trustedProxies);
  return (request) => {
    const forwarded = (request.get('X-Forwarded-For') ?? '').split(',').map((address) => address.trim());
    // Each proxy appends the address it got the request from. The last address that is not a trusted proxy is the client's, as far as can be known.
    let address = request.socket.remoteAddress ?? '';
    while (isTrusted(address)) {
      const before = forwarded.pop();
      if (before === undefined || before === '') return address;
      if (!ipaddr.isValid(before)) return null;
      address = before;
    }
    return address === request.socket.remoteAddress && request.get('X-Forwarded-For') !== undefined
      ? null
      : address;
  };
}

/** @param networks in CIDR notation. An IPv4 client of an IPv6 socket counts as IPv4. */
export function makeIsTrusted(networks: readonly string[]): (address: string | undefined) => boolean {
  const parsed = networks.flatMap((network) => {
    const known = parseNetwork(network);
    return known ? [known] : [];
  });
  return (address) => {
    if (address === undefined || !ipaddr.isValid(address)) return false;
    const processed = ipaddr.process(address);
    return parsed.some((network) => isInside(processed, network));
  };
}
