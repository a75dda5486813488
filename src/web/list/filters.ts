/**
 * The state of the list as its URL says it, and back: what is in the address is all there is.
 *
 *   URL → Filters → EntryQuery (search)   and   Filters → canonical URL
 *
 * Promises: whatever somebody typed into the address, the result is a valid filter, and `problems` says in words what was left
 * out; the canonical form has sorted keys and nothing empty, and read again gives the same filter.
 */
import { z } from 'zod';
import { type Cursor, decodeCursor, encodeCursor } from '../../database/cursor.ts';
import type { EntryQuery } from '../../database/entryQuery.ts';

export const presets = ['1h', '24h', '7d', '30d', 'all'] as const;
export type Preset = (typeof presets)[number];
const defaultPreset: Preset = '30d';

export interface Filters {
  readonly text: string;
  /** Each once, sorted. */
  readonly eventTypes: readonly string[];
  readonly actor: string | null;
  readonly sessionTypes: readonly string[];
  readonly project: EntryQuery['project'];
  readonly time:
    | { readonly preset: Preset }
    /** RFC 3339 in UTC, of minutes or finer; from inclusive, to exclusive. At least one is not null. */
    | { readonly from: string | null; readonly to: string | null };
  /** JSON documents that the metadata must contain. */
  readonly has: readonly string[];
}

export const noFilters: Filters = {
  text: '',
  eventTypes: [],
  actor: null,
  sessionTypes: [],
  project: null,
  time: { preset: defaultPreset },
  has: [],
};

export interface ParsedFilters {
  readonly filters: Filters;
  /** Where an older page begins; null: at the newest. */
  readonly before: Cursor | null;
  /** One sentence for each thing that was left out. */
  readonly problems: readonly string[];
}

const maxTextLength = 200;
const maxNameLength = 256;
const maxValues = 100;
const maxDocuments = 10;
const maxDocumentLength = 2_000;

/** Exactly as it is: `Ada` and `Ada ` are two actors. */
const name = z.string().max(maxNameLength).refine(isStorable);
const time = z
  .string()
  .regex(/^(?!0000)\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?Z?)?$/)
  .transform((text) => `${text.replace('Z', '')}${text.includes('T') ? '' : 'T00:00'}`)
  .refine((text) => isRealTime(`${text}Z`));
const document = z.string().max(maxDocumentLength).refine(isDocument);

/** Reads a query string; unknown names are left alone. */
export function parseFilters(parameters: URLSearchParams): ParsedFilters {
  const problems: string[] = [];
  const take = <T>(schema: z.ZodType<T>, key: string, most: number, what: string): T[] => {
    const taken: T[] = [];
    for (const value of new Set(parameters.getAll(key).filter((each) => each.trim() !== ''))) {
      const parsed = schema.safeParse(value);
      if (!parsed.success) problems.push(`“${shorten(value)}” is not ${what} and was left out.`);
      else if (taken.length === most)
        problems.push(`Only ${most} of “${key}” count; “${shorten(value)}” was left out.`);
      else taken.push(parsed.data);
    }
    return taken;
  };
  const [text = ''] = take(
    z.string().trim().max(maxTextLength).refine(isStorable),
    'q',
    1,
    `a search of at most ${maxTextLength} characters`,
  );
  const eventTypes = take(name, 'type', maxValues, 'an event type').sort();
  const sessionTypes = take(name, 'session', maxValues, 'a session type').sort();
  const [actor = null] = take(name, 'actor', 1, 'an actor');
  const [project] = take(name, 'project', 1, 'a project');
  const isWithoutProject = parameters.get('noproject') === '1';
  const has = take(document, 'has', maxDocuments, 'a JSON object to look for').sort();
  const [before] = take(
    z
      .string()
      .transform(decodeCursor)
      .pipe(z.custom<Cursor>((cursor) => cursor !== null)),
    'before',
    1,
    'a place in the list',
  );
  return {
    filters: {
      text,
      eventTypes,
      actor,
      sessionTypes,
      project: isWithoutProject ? 'none' : project === undefined ? null : { name: project },
      time: parseTime(parameters, take),
      has,
    },
    before: before ?? null,
    problems,
  };
}

function parseTime(
  parameters: URLSearchParams,
  take: <T>(schema: z.ZodType<T>, key: string, most: number, what: string) => T[],
): Filters['time'] {
  // A form sends both; the choice of a preset says that the rest is only left over.
  const range = parameters.get('range') ?? '';
  if (range === '' || range === 'custom') {
    const what = 'a time such as 2026-02-03T14:05 (UTC)';
    const [from = null] = take(time, 'from', 1, what);
    const [to = null] = take(time, 'to', 1, what);
    if (from !== null || to !== null) return { from, to };
    return { preset: range === 'custom' ? 'all' : defaultPreset };
  }
  const [preset = defaultPreset] = take(z.enum(presets), 'range', 1, `a range (${presets.join(', ')})`);
  return { preset };
}

/** The canonical query string, without `?`; empty for the default filter. */
export function toSearch(filters: Filters, before: Cursor | null = null): string {
  const search = new URLSearchParams();
  if (filters.actor !== null) search.append('actor', filters.actor);
  if (before) search.append('before', encodeCursor(before));
  if ('from' in filters.time && filters.time.from) search.append('from', filters.time.from);
  for (const each of filters.has) search.append('has', each);
  if (filters.project === 'none') search.append('noproject', '1');
  else if (filters.project) search.append('project', filters.project.name);
  if (filters.text !== '') search.append('q', filters.text);
  if ('preset' in filters.time && filters.time.preset !== defaultPreset)
    search.append('range', filters.time.preset);
  for (const each of filters.sessionTypes) search.append('session', each);
  if ('to' in filters.time && filters.time.to) search.append('to', filters.time.to);
  for (const each of filters.eventTypes) search.append('type', each);
  return search.toString();
}

const hoursOf: Readonly<Record<Exclude<Preset, 'all'>, number>> = {
  '1h': 1,
  '24h': 24,
  '7d': 7 * 24,
  '30d': 30 * 24,
};

/** Clocks differ; what is dated later than this is no entry of the last hour, or month. */
export const aheadMs = 5 * 60_000;

/** What to look for; ranges that are relative begin `now` less their length, and end five minutes ahead of it. */
export function toEntryQuery(filters: Filters, organization: string, now: Date): EntryQuery {
  const { time: span, text, eventTypes, actor, sessionTypes, project, has } = filters;
  const bounds =
    'preset' in span
      ? {
          from:
            span.preset === 'all'
              ? null
              : new Date(now.getTime() - hoursOf[span.preset] * 3_600_000).toISOString(),
          to: span.preset === 'all' ? null : new Date(now.getTime() + aheadMs).toISOString(),
        }
      : { from: span.from && `${span.from}Z`, to: span.to && `${span.to}Z` };
  return { organization, text, eventTypes, actor, sessionTypes, project, has, ...bounds };
}

/** Whether anything but the range of time is asked for. */
export function hasConditions(filters: Filters): boolean {
  return toSearch({ ...filters, time: noFilters.time }) !== '';
}

/** Postgres stores neither NUL nor half of a surrogate pair. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function isRealTime(text: string): boolean {
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 16) === text.slice(0, 16);
}

/** A JSON object that Postgres takes as jsonb: no NUL, whole characters, numbers of a size that it has. */
function isDocument(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return false;
    if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(JSON.stringify(value))) return false;
    return !/[eE][+-]?\d{4,}/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, '')) && isStorable(text);
  } catch {
    return false;
  }
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
