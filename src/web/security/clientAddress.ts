/** Who is at the other end: the connection's address or, behind a proxy that is trusted, the one that it names. */
import type { Request } from 'express';
import ipaddr from 'ipaddr.js';

type Network = ReturnType<typeof ipaddr.parseCIDR>;

/** A function of a request. null: a proxy is in between that nobody has said to trust, and everybody behind it has its address. */
export function makeClientAddress(trustedProxies: readonly string[]): (request: Request) => string | null {
  const networks = trustedProxies.map((network) => ipaddr.parseCIDR(network));
  return (request) => {
    const forwarded = (request.get('X-Forwarded-For') ?? '').split(',').map((address) => address.trim());
    // Each proxy appends whom it got the request from: the last one that is no trusted proxy is as far as anybody can be believed.
    let address = request.socket.remoteAddress ?? '';
    while (isWithin(address, networks)) {
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

/** An IPv4 client of an IPv6 socket counts as IPv4. */
function isWithin(address: string, networks: readonly Network[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return networks.some((network) => parsed.kind() === network[0].kind() && parsed.match(network));
}
