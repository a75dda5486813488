/**
 * Headers that no destination may have of its own: what makes the request and the connection, and what browsers and
 * proxies say of who asks. The receiver may be a page that believes its proxies, and this collector may be one of them by
 * its address: whoever configures a destination must not be able to speak in anybody's name.
 */

/** Lower case: set by the collector itself, or by the connection. */
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

/** Of lower-case names. Proxy-Authorization is meant for a proxy on the way, and allowed. */
export const speakingHeaderPattern = /^(?:cookie|origin|forwarded|x-real-ip|sec-.*|x-forwarded-.*|proxy-.*)$/;
export const allowedProxyHeader = 'proxy-authorization';

/** Whether the header, in any case of letters, would say who asks. Some servers take `_` for `-`. */
export function isSpeakingHeader(name: string): boolean {
  const lower = name.toLowerCase().replaceAll('_', '-');
  return lower !== allowedProxyHeader && speakingHeaderPattern.test(lower);
}
