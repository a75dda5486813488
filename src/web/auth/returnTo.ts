/** The address that a login leads back to. */

const own = 'http://page.invalid';

/**
 * Returns `value` if it is an address of this page, else `/`: a login must not send anybody to another site that looks like
 * this one. Parses as browsers do, which take `/\example.com` and a tab inside `//` for another host.
 */
export function toLocalPath(value: unknown, longest = 2_000): string {
  if (typeof value !== 'string' || !value.startsWith('/') || value.length > longest) return '/';
  const url = URL.canParse(value, own) ? new URL(value, own) : null;
  if (url === null || url.origin !== own || url.pathname.startsWith('//')) return '/';
  // These would lead in a circle.
  if (/^\/(?:login|logout|signed-out)(?:\/|$)/.test(url.pathname)) return '/';
  return url.pathname + url.search;
}
