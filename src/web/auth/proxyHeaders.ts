/**
 * `AUTH_MODE=headers`: a proxy in front has authenticated and says who it is in headers.
 *
 * Believed by the address of the connection itself and by a secret that the proxy sends: at that address there may be
 * others, the collector itself when the proxy stands beside it, whose requests people choose. X-Forwarded-For is a header
 * like any other and says nothing here.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import type { Secret } from '../../model/secret.ts';
import { makeIsTrusted } from '../security/trustedProxies.ts';
import type { Authenticator, Identity } from './authenticator.ts';
import { administersOf, type MembershipRules } from './membership.ts';

export interface HeadersOptions {
  /** CIDR notation. */
  readonly trustedProxies: readonly string[];
  /** null only where it was not read from the settings: then nobody is let in. */
  readonly proxySecret: Secret | null;
  /** Names in lower case. */
  readonly proxySecretHeader: string;
  readonly userHeader: string;
  readonly nameHeader: string;
  readonly groupsHeader: string;
  readonly membership: MembershipRules;
}

export function makeHeadersAuthenticator(options: HeadersOptions): Authenticator {
  const isTrusted = makeIsTrusted(options.trustedProxies);
  return {
    middleware: null,
    async identify(request) {
      if (!isTrusted(request.socket.remoteAddress)) {
        return refuse('This page is reached through a proxy that signs people in. Open it by that address.');
      }
      if (!hasSecret(request, options)) {
        return refuse(
          'The proxy in front of this page does not prove itself by PROXY_SECRET: tell the operator of the collector.',
        );
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

/** Takes as long whatever is sent. One that comes twice is perhaps a client's and a proxy's. */
function hasSecret(
  request: Request,
  { proxySecret, proxySecretHeader }: Pick<HeadersOptions, 'proxySecret' | 'proxySecretHeader'>,
): boolean {
  const sent = request.headersDistinct[proxySecretHeader] ?? [];
  if (proxySecret === null || sent.length !== 1) return false;
  const hash = (text: Buffer) => createHash('sha256').update(text).digest();
  return timingSafeEqual(
    hash(Buffer.from(sent[0] ?? '', 'latin1')),
    hash(Buffer.from(proxySecret.reveal().trim(), 'utf8')),
  );
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
