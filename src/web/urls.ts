/** Addresses below one organization. */

export function logsUrl(organization: string, search = ''): string {
  return `/organizations/${encodeURIComponent(organization)}/audit-logs${search === '' ? '' : `?${search}`}`;
}

/** With the filter that the entry was found by, so that previous and next stay in it. */
export function entryUrl(organization: string, id: string, search = ''): string {
  return `${logsUrl(organization)}/entries/${encodeURIComponent(id)}${search === '' ? '' : `?${search}`}`;
}
