/**
 * `AUTH_MODE=headers`: a proxy in front has authenticated people and says in headers who they are.
 *
 * The headers are believed only from the proxy's own address and with its secret. The address alone is not enough: others may share
 * it, such as the collector itself beside the proxy, and people choose where the collector sends requests. X-Forwarded-For
 * is a header like any other and proves nothing here.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import type { Secret } from '../../model/secret.ts';
import { makeIsTrusted } from '../security/clientAddress.ts';
import { type Authenticator, refuse } from './authenticator.ts';
import { administersOf, type MembershipRules } from './membership.ts';

export interface HeadersOptions {
  /** CIDR notation. */
  readonly trustedProxies: readonly string[];
  /** null only if it was not read from the settings: then nobody is let in. */
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
        return refuse(
          'This page is reached through a proxy that signs people in. Open the address of the proxy.',
        );
      }
      if (!hasSecret(request, options)) {
        return refuse(
          'The proxy in front of this page does not send the right PROXY_SECRET. Tell the operator of the collector.',
        );
      }
      const user = readHeader(request, options.userHeader);
      const name = readHeader(request, options.nameHeader);
      const groups = readHeader(request, options.groupsHeader);
      if (user === 'several' || name === 'several' || groups === 'several') {
        return refuse(
          'The proxy in front of this page passes on what clients claim to be, so nobody is let in. Tell the operator of the collector.',
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

/** Takes the same time whatever is sent. Refuses a header that comes twice: one may be the client's. */
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

/**
 * `several`: the header came twice, once from the client and once from a proxy that adds to it instead of replacing it. Node reads
 * headers as Latin-1; bytes that are UTF-8 are read as UTF-8.
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
