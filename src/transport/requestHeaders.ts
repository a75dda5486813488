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
]);

export type RequestHeaders =
  | { readonly kind: 'made'; readonly headers: string[] }
  /** Cannot be sent; `message` names the header, never its value. */
  | { readonly kind: 'invalid'; readonly message: string };

/** Names and values in turn. No `accept-encoding`: an answer is too small to be worth compressing. */
export function makeRequestHeaders(destination: Destination, userAgent: string): RequestHeaders {
  const headers = ['content-type', 'application/x-protobuf', 'user-agent', userAgent];
  if (destination.compression === 'gzip') headers.push('content-encoding', 'gzip');
  for (const { name, value } of destination.headers) {
    if (ownNames.has(name.toLowerCase())) continue;
    const text = value.reveal();
    const problem = findProblem(name, text);
    if (problem) return { kind: 'invalid', message: problem };
    headers.push(name, text);
  }
  return { kind: 'made', headers };
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
