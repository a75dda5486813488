/** Names for configs: of one that was given none (who, and where to), and of one whose name is not free. */
import { randomBytes } from 'node:crypto';

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

/** `siem-3f9c2a` of `siem`: another name, beside one that another organization has. Nobody is told that it does. */
export function addMark(name: string): string {
  return `${name.slice(0, 180)}-${randomBytes(3).toString('hex')}`;
}
