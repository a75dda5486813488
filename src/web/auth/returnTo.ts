/** Where a login leads back to. */

const own = 'http://page.invalid';

/**
 * `value` if it is an address of this page, `/` otherwise: a login must not send anybody to another site that looks like
 * this one. Parsed as browsers do, who take `/\example.com` and a tab inside of `//` for another host.
 */
export function toLocalPath(value: unknown): string {
  if (typeof value !== 'string' || !value.startsWith('/') || value.length > 2_000) return '/';
  const url = URL.canParse(value, own) ? new URL(value, own) : null;
  if (url === null || url.origin !== own || url.pathname.startsWith('//')) return '/';
  // They would lead in a circle.
  if (/^\/(?:login|logout|signed-out)(?:\/|$)/.test(url.pathname)) return '/';
  return url.pathname + url.search;
}
