/** The headers of a request: ours, then the configured ones. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Destination } from '../model/exportConfig.ts';
import { isSpeakingHeader, requestHeaderNames } from '../model/ownHeaders.ts';

/** Configured values for these are left out. */
const ownNames: ReadonlySet<string> = new Set([...requestHeaderNames, 'user-agent', 'accept-encoding']);

export type RequestHeaders =
  | { readonly kind: 'made'; readonly headers: string[]; readonly leftOut: readonly string[] }
  /** A header that cannot be sent; `message` names it, never its value. */
  | { readonly kind: 'invalid'; readonly message: string };

/**
 * Names and values, alternating. `Accept-Encoding: identity`: an answer is too small to be worth compressing, and without it
 * any coding would be allowed (RFC 9110 section 12.5.3).
 *
 * @param identityHeaders further names to leave out, in lower case.
 */
export function makeRequestHeaders(
  destination: Destination,
  userAgent: string,
  identityHeaders: ReadonlySet<string>,
): RequestHeaders {
  const headers = ['content-type', 'application/x-protobuf', 'user-agent', userAgent];
  headers.push('accept-encoding', 'identity');
  const leftOut: string[] = [];
  if (destination.compression !== 'none') headers.push('content-encoding', destination.compression);
  for (const { name, value } of destination.headers) {
    if (isOwnHeader(name, identityHeaders)) {
      leftOut.push(name);
      continue;
    }
    const text = value.reveal();
    const problem = findProblem(name, text);
    if (problem) return { kind: 'invalid', message: problem };
    headers.push(name, text);
  }
  return { kind: 'made', headers, leftOut };
}

function isOwnHeader(name: string, identityHeaders: ReadonlySet<string>): boolean {
  if (isSpeakingHeader(name)) return true;
  const lower = name.toLowerCase();
  return [lower, lower.replaceAll('_', '-')].some((each) => ownNames.has(each) || identityHeaders.has(each));
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
