/** The filter of a window as SQL about a row of audit.entries. */
import pg from 'pg';
import { formerOwnEventTypes } from '../model/ownEvents.ts';
import type { WindowFilter } from '../model/stream.ts';

const literal = pg.escapeLiteral;

/** SQL that is true for an entry that the filter lets through; every value is quoted, since COPY takes no parameters. */
export function filterCondition(filter: WindowFilter): string {
  const like = (globs: readonly string[]): string =>
    `event_type like any (array[${globs.map((glob) => literal(toLikePattern(glob))).join(', ')}])`;
  const conditions: string[] = [];
  if (filter.eventTypes.length > 0) conditions.push(like(filter.eventTypes));
  if (filter.excludeEventTypes.length > 0) conditions.push(`not ${like(filter.excludeEventTypes)}`);
  if (filter.projects.length > 0)
    conditions.push(`coalesce(project in (${filter.projects.map((p) => literal(p)).join(', ')}), false)`);
  const chosen = conditions.length === 0 ? 'true' : conditions.join(' and ');
  const own = filter.passesOwn === true ? formerOwnEventTypes : (filter.passesOwn ?? []);
  const passes = own.length > 0 && conditions.length > 0 ? `(${chosen} or ${like(own)})` : chosen;
  const bounds = [
    ...(filter.since === undefined ? [] : [`occurred_at >= ${literal(filter.since)}::timestamptz`]),
    ...(filter.until === undefined ? [] : [`occurred_at < ${literal(filter.until)}::timestamptz`]),
  ];
  return [passes, ...bounds].join(' and ');
}

/** `*` is the only wildcard of a filter; LIKE's own are taken literally. */
function toLikePattern(glob: string): string {
  return glob.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
}
