/**
 * The page's table of filters, a row each: its names in the address, its problems and its chips. The list, downloads and the count of
 * new entries follow from it.
 *
 * `Conditions` comes from the table of database/entryFilters.ts: a filter that is in only one of them does not compile. The inputs are in
 * views/audit-logs/filter-bar.eta, under the same names as in the address.
 */
import { z } from 'zod';
import type { Conditions } from '../../database/entryFilters.ts';
import { parseSearch } from '../../database/searchTerms.ts';
import { describeDocument } from '../format/json.ts';
import { describeSession } from '../format/sessionWords.ts';
import { type FilterRow, isStorable, nameSchema } from './filterRow.ts';
import { type TimeRange, timeFilter } from './timeRange.ts';

export interface Filters extends Conditions {
  readonly time: TimeRange;
}

export const mostTextLength = 200;
const textSchema = z.string().trim().max(mostTextLength).refine(isStorable);

const text: FilterRow<string> = {
  read: (address) => address.one(textSchema, 'q', `a search of at most ${mostTextLength} characters`) ?? '',
  print: (value) => (value === '' ? [] : [['q', value]]),
  chips: (value) => {
    const terms = parseSearch(value);
    return terms.map((term) => ({
      label: `${term.isExcluded ? 'Without ' : ''}“${term.text}”`,
      rest: terms.flatMap((each) => (each === term ? [] : [each.source])).join(' '),
    }));
  },
};

/** Any number of values under one name. */
function list(
  key: string,
  what: string,
  label: (value: string, names?: ReadonlyMap<string, string>) => string,
  schema: z.ZodType<string> = nameSchema,
  most?: number,
): FilterRow<readonly string[]> {
  return {
    read: (address) => address.all(schema, key, what, most),
    print: (values) => values.map((value) => [key, value]),
    chips: (values, names) =>
      values.map((value) => ({ label: label(value, names), rest: values.filter((each) => each !== value) })),
  };
}

/** Names; null, for no project, has a name of its own in the address, so that it is no project's name. */
function projectList(prefix: '' | 'not-'): FilterRow<ReadonlyArray<string | null>> {
  const [key, noneKey] = [`${prefix}project`, `${prefix}noproject`];
  const none = prefix === '' ? 'No project' : 'With a project';
  const named = prefix === '' ? 'Project' : 'Not project';
  return {
    read: (address) => [
      ...(address.raw(noneKey) === '1' ? [null] : []),
      ...address.all(nameSchema, key, 'a project'),
    ],
    print: (values) => values.map((value) => (value === null ? [noneKey, '1'] : [key, value])),
    chips: (values) =>
      values.map((value) => ({
        label: value === null ? none : `${named}: ${value}`,
        rest: values.filter((each) => each !== value),
      })),
  };
}

const documentSchema = z.string().max(2_000).refine(isDocument);
const mostDocuments = 10;

/** True for a JSON object that Postgres accepts as jsonb: no NUL, whole characters, numbers within its range. */
function isDocument(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null) return false;
    if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(JSON.stringify(value))) return false;
    return !/[eE][+-]?\d{4,}/.test(json.replace(/"(?:[^"\\]|\\.)*"/g, '')) && isStorable(json);
  } catch {
    return false;
  }
}

/** By the key of its config, which ends in its name where that is in a file. */
function describeUndelivered(key: string, names?: ReadonlyMap<string, string>): string {
  const name = names?.get(key) ?? (key.includes('/') ? key.split('/').at(-1) : 'a destination');
  return `Not delivered to ${name}`;
}

/** In the order of the chips. */
export const filterTable: { readonly [Name in keyof Filters]: FilterRow<Filters[Name]> } = {
  time: timeFilter,
  text,
  eventTypes: list('type', 'an event type', (type) => type),
  notEventTypes: list('not-type', 'an event type', (type) => `Not ${type}`),
  actors: list('actor', 'an actor', (actor) => `Actor: ${actor}`),
  notActors: list('not-actor', 'an actor', (actor) => `Not actor: ${actor}`),
  projects: projectList(''),
  notProjects: projectList('not-'),
  sessionTypes: list('session', 'a session type', describeSession),
  notSessionTypes: list('not-session', 'a session type', (type) => `Not ${describeSession(type)}`),
  undelivered: list('undelivered', 'a destination', describeUndelivered),
  has: list('has', 'a JSON object', describeDocument, documentSchema, mostDocuments),
};
