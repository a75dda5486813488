/** Makes names for configs: for one that was given none (from who, and where to), and for one whose name is taken. */
import { randomBytes } from 'node:crypto';

/** `acme-otel-example-com`; from the second attempt on with a number behind it. Neither argument needs to be valid. */
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

/** `siem` → `siem-3f9c2a`, for a name that another organization has. Nobody is told that it does. */
export function addMark(name: string): string {
  return `${name.slice(0, 180)}-${randomBytes(3).toString('hex')}`;
}
