/**
 * `AUTH_MODE=headers`: a proxy in front has authenticated and says who it is in headers.
 *
 * Believed by the address of the connection itself; X-Forwarded-For is a header like any other and says nothing here.
 */
import type { Request } from 'express';
import ipaddr from 'ipaddr.js';
import type { Authenticator, Identity } from './authenticator.ts';
import { administersOf, type MembershipRules } from './membership.ts';

export interface HeadersOptions {
  /** CIDR notation. */
  readonly trustedProxies: readonly string[];
  /** Names in lower case. */
  readonly userHeader: string;
  readonly nameHeader: string;
  readonly groupsHeader: string;
  readonly membership: MembershipRules;
}

export function makeHeadersAuthenticator(options: HeadersOptions): Authenticator {
  const networks = options.trustedProxies.map((network) => ipaddr.parseCIDR(network));
  return {
    middleware: null,
    async identify(request) {
      if (!isWithin(request.socket.remoteAddress, networks)) {
        return refuse('This page is reached through a proxy that signs people in. Open it by that address.');
      }
      const user = readHeader(request, options.userHeader);
      const name = readHeader(request, options.nameHeader);
      const groups = readHeader(request, options.groupsHeader);
      if (user === 'several' || name === 'several' || groups === 'several') {
        return refuse(
          'The proxy in front of this page passes on what a client claims to be, so nobody is let in.',
        );
      }
      if (user.value === '') return refuse('The proxy in front of this page did not say who you are.');
      return {
        kind: 'known',
        viewer: {
          id: user.value,
          name: name.value || null,
          administers: administersOf(
            groups.value.split(',').flatMap((group) => group.trim() || []),
            options.membership,
          ),
        },
        logoutUrl: null,
      };
    },
  };
}

function refuse(message: string): Identity {
  return { kind: 'anonymous', loginUrl: null, message };
}

/**
 * `several`: a header that came twice is one of the client's and one of a proxy which adds to it instead of replacing it.
 * Bytes are read as UTF-8 where they are: Node reads headers as Latin-1.
 */
function readHeader(request: Request, name: string): { readonly value: string } | 'several' {
  const [value = '', ...more] = request.headersDistinct[name] ?? [];
  if (more.length > 0) return 'several';
  const bytes = Buffer.from(value, 'latin1');
  try {
    return { value: new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim() };
  } catch {
    return { value: value.trim() };
  }
}

type Network = ReturnType<typeof ipaddr.parseCIDR>;

/** An IPv4 client of an IPv6 socket counts as IPv4. */
function isWithin(address: string | undefined, networks: readonly Network[]): boolean {
  if (address === undefined || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return networks.some((network) => parsed.kind() === network[0].kind() && parsed.match(network));
}
