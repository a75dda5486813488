/**
 * The page's table of filters, a row each: its names in the address, its problems and its chips. The list, downloads and the count of
 * new entries follow from it.
 *
 * `Conditions` comes from the table of database/entryFilters.ts: a filter that is in only one of them does not compile. The inputs are in
 * views/audit-logs/filter-bar.eta, under the same names as in the address.
 */
import { z } from 'zod';
import type { Conditions } from '../../database/entryFilters.ts';
import { describeDocument } from '../format/json.ts';
import { describeSession } from '../format/sessionWords.ts';
import { type FilterRow, isShownAs, isStorable, nameSchema } from './filterRow.ts';
import { type TimeRange, timeFilter } from './timeRange.ts';

export interface Filters extends Conditions {
  readonly time: TimeRange;
}

const mostTextLength = 200;
const textSchema = z.string().trim().max(mostTextLength).refine(isStorable);

const text: FilterRow<string> = {
  read: (address) => address.one(textSchema, 'q', `a search of at most ${mostTextLength} characters`) ?? '',
  print: (value) => (value === '' ? [] : [['q', value]]),
  chips: (value) => (value === '' ? [] : [{ label: `“${value}”`, rest: '' }]),
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

const actor: FilterRow<Filters['actor']> = {
  read: (address) => address.resolve('actor', isShownAs).one(nameSchema, 'actor', 'an actor'),
  print: (value) => (value === null ? [] : [['actor', value]]),
  chips: (value) => (value === null ? [] : [{ label: `Actor: ${value}`, rest: null }]),
};

const project: FilterRow<Filters['project']> = {
  read: (address) => {
    const name = address.resolve('project', isShownAs).one(nameSchema, 'project', 'a project');
    if (address.raw('noproject') === '1') return 'none';
    return name === null ? null : { name };
  },
  print: (value) => {
    if (value === null) return [];
    return value === 'none' ? [['noproject', '1']] : [['project', value.name]];
  },
  chips: (value) =>
    value === null ? [] : [{ label: value === 'none' ? 'No project' : `Project: ${value.name}`, rest: null }],
};

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
  actor,
  project,
  sessionTypes: list('session', 'a session type', describeSession),
  undelivered: list('undelivered', 'a destination', describeUndelivered),
  has: list('has', 'a JSON object', describeDocument, documentSchema, mostDocuments),
};
