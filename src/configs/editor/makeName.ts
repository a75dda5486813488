/** A name for a config that was given none: who, and where to. */

/** `acme-otel-example-com`; with a number behind it from the second try on. Neither argument need be valid. */
export function makeName(organization: string, endpoint: string, attempt: number): string {
  const host = URL.canParse(endpoint) ? new URL(endpoint).hostname : '';
  const slug = [organization, host]
    .map(toSlug)
    .filter((part) => part !== '')
    .join('-');
  const base = slug === '' ? 'export' : slug.slice(0, 56).replace(/-+$/, '');
  return attempt === 1 ? base : `${base}-${attempt}`;
}

function toSlug(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
}
