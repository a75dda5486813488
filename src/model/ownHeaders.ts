/**
 * Headers that no destination may set: those of the request and the connection, and those in which browsers and proxies
 * say who asks. The receiver may be a page that trusts its proxies, and this collector's address may be one of them:
 * whoever configures a destination must not be able to speak in somebody else's name.
 */

/** In lower case: the collector or the connection sets them. */
export const requestHeaderNames: readonly string[] = [
  'content-type',
  'content-length',
  'content-encoding',
  'host',
  'connection',
  'transfer-encoding',
  'keep-alive',
  'te',
  'trailer',
  'upgrade',
  'expect',
];

/** For names in lower case. Proxy-Authorization is meant for a proxy on the way, and allowed. */
export const speakingHeaderPattern = /^(?:cookie|origin|forwarded|x-real-ip|sec-.*|x-forwarded-.*|proxy-.*)$/;
export const allowedProxyHeader = 'proxy-authorization';

/** Whether the header, in upper or lower case, would say who asks. Some servers read `_` as `-`. */
export function isSpeakingHeader(name: string): boolean {
  const lower = name.toLowerCase().replaceAll('_', '-');
  return lower !== allowedProxyHeader && speakingHeaderPattern.test(lower);
}
