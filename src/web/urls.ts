/** Addresses below one organization. */
import type { Request } from 'express';

/** The route of an organization's audit logs; everything else of the organization lies below it. */
export const logsPath = '/organizations/:organization/audit-logs';

/**
 * An organization as a part of an address. Browsers take `.` and `..` for steps, however they are encoded, so that those
 * stand behind a `~`, and so does what begins with one.
 */
function toSegment(organization: string): string {
  const isStep = organization === '.' || organization === '..' || organization.startsWith('~');
  return `${isStep ? '~' : ''}${encodeURIComponent(organization.toWellFormed())}`;
}

/** Of the address that was asked for; empty: it names none. */
export function organizationOf({ params }: Pick<Request, 'params'>): string {
  const segment = String(params['organization'] ?? '');
  return segment.startsWith('~') ? segment.slice(1) : segment;
}

/** What stands behind the `?` of the address that was asked for. */
export function searchParamsOf({ originalUrl }: Pick<Request, 'originalUrl'>): URLSearchParams {
  return new URL(originalUrl, 'http://page').searchParams;
}

/** As the table checks it; whether there is one of the name is not said to whom it does not concern. */
export function isOrganizationName(text: string): boolean {
  return text !== '' && [...text].length <= 256 && !text.includes('\0');
}

/** `below`: what follows the address of the list itself, such as `/export`. */
export function logsUrl(organization: string, search = '', below = ''): string {
  const path = logsPath.replace(':organization', () => toSegment(organization));
  return `${path}${below}${search === '' ? '' : `?${search}`}`;
}

/** With the filter that the entry was found by, so that previous and next stay in it. */
export function entryUrl(organization: string, id: string, search = ''): string {
  return logsUrl(organization, search, `/entries/${encodeURIComponent(id)}`);
}
