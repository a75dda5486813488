/** Who is at the other end: the connection's address or, behind a proxy that is trusted, the one that it names. */
import type { Request } from 'express';
import ipaddr from 'ipaddr.js';
import { makeIsTrusted } from './trustedProxies.ts';

/** A function of a request. null: a proxy is in between that nobody has said to trust, and everybody behind it has its address. */
export function makeClientAddress(trustedProxies: readonly string[]): (request: Request) => string | null {
  const isTrusted = makeIsTrusted(trustedProxies);
  return (request) => {
    const forwarded = (request.get('X-Forwarded-For') ?? '').split(',').map((address) => address.trim());
    // Each proxy appends whom it got the request from: the last one that is no trusted proxy is as far as anybody can be believed.
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
