/** The addresses of one organization. */
import type { Request } from 'express';

/** The route of an organization's audit logs; everything else of the organization lies below it. */
export const logsPath = '/organizations/:organization/audit-logs';

/**
 * An organization as a segment of an address. Browsers take `.` and `..` for steps, however they are encoded, so those get a
 * `~` in front, and so do names that begin with one.
 */
function toSegment(organization: string): string {
  const isStep = organization === '.' || organization === '..' || organization.startsWith('~');
  return `${isStep ? '~' : ''}${encodeURIComponent(organization.toWellFormed())}`;
}

/** The organization in the requested address; empty: there is none. */
export function organizationOf({ params }: Pick<Request, 'params'>): string {
  const segment = String(params['organization'] ?? '');
  return segment.startsWith('~') ? segment.slice(1) : segment;
}

/** The query of the requested address. */
export function searchParamsOf({ originalUrl }: Pick<Request, 'originalUrl'>): URLSearchParams {
  return new URL(originalUrl, 'http://page').searchParams;
}

/** Checks a name as the table does. Does not tell whether such an organization exists, which is not everybody's business. */
export function isOrganizationName(text: string): boolean {
  return text !== '' && [...text].length <= 256 && !text.includes('\0');
}

/** `below`: what follows the address of the list itself, such as `/export`. */
export function logsUrl(organization: string, search = '', below = ''): string {
  const path = logsPath.replace(':organization', () => toSegment(organization));
  return `${path}${below}${search === '' ? '' : `?${search}`}`;
}

/** Carries the filter that found the entry, so that previous and next stay within it. */
export function entryUrl(organization: string, id: string, search = ''): string {
  return logsUrl(organization, search, `/entries/${encodeURIComponent(id)}`);
}
