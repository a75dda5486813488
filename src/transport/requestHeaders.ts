/**
 * The headers of a request: ours, then the configured ones.
 */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Destination } from '../model/exportConfig.ts';

/** What the request is made of, and how the connection works: configured values for these are left out. */
const ownNames: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-length',
  'user-agent',
  'accept-encoding',
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'max-forwards',
  'http2-settings',
  'cookie',
  'cookie2',
  'origin',
  'referer',
  'forwarded',
  'via',
  'x-real-ip',
]);

/**
 * What browsers and proxies say of who asks. The receiver may be a page that trusts its proxies, and this collector may
 * be one of them by its address: whoever configures a destination must not be able to speak in their name.
 */
const ownPrefixes = /^(?:sec-|x-forwarded-|proxy-(?!authorization$))/;

/** Whether a configured header of this name, in any case of letters, is never sent. */
export function isOwnHeader(name: string): boolean {
  // Some servers take `_` for `-`.
  const lower = name.toLowerCase().replaceAll('_', '-');
  return ownNames.has(lower) || ownPrefixes.test(lower);
}

export type RequestHeaders =
  | { readonly kind: 'made'; readonly headers: string[] }
  /** Cannot be sent; `message` names the header, never its value. */
  | { readonly kind: 'invalid'; readonly message: string };

/**
 * Names and values in turn. `Accept-Encoding: identity`: an answer is too small to be worth compressing, and without it
 * any coding would be allowed (RFC 9110 section 12.5.3).
 *
 * @param identityHeaders in lower case: further names that are left out.
 */
export function makeRequestHeaders(
  destination: Destination,
  userAgent: string,
  identityHeaders: ReadonlySet<string>,
): RequestHeaders {
  const headers = ['content-type', 'application/x-protobuf', 'user-agent', userAgent];
  headers.push('accept-encoding', 'identity');
  if (destination.compression === 'gzip') headers.push('content-encoding', 'gzip');
  for (const { name, value } of destination.headers) {
    if (isOwnHeader(name) || isIdentityHeader(name, identityHeaders)) continue;
    const text = value.reveal();
    const problem = findProblem(name, text);
    if (problem) return { kind: 'invalid', message: problem };
    headers.push(name, text);
  }
  return { kind: 'made', headers };
}

function isIdentityHeader(name: string, identityHeaders: ReadonlySet<string>): boolean {
  const lower = name.toLowerCase();
  return identityHeaders.has(lower) || identityHeaders.has(lower.replaceAll('_', '-'));
}

function findProblem(name: string, value: string): string | null {
  try {
    validateHeaderName(name);
  } catch {
    return `${JSON.stringify(name)} is not a header name HTTP allows.`;
  }
  try {
    validateHeaderValue(name, value);
    return null;
  } catch {
    return `The value of header ${name} has characters HTTP does not allow, such as a line break or a letter beyond Latin-1.`;
  }
}
