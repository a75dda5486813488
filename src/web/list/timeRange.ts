/** The filter by time: a range that is relative to now, or from and to. */

import { z } from 'zod';
import { isRealTime } from '../../basics/isRealTime.ts';
import type { EntryQuery } from '../../database/entryQuery.ts';
import type { FilterRow } from './filterRow.ts';

export const presets = ['1h', '24h', 'today', 'yesterday', '7d', '30d', 'all'] as const;
export type Preset = (typeof presets)[number];

export type TimeRange =
  | { readonly preset: Preset }
  /** RFC 3339 in UTC, of minutes or finer; from inclusive, to exclusive. At least one is not null. */
  | { readonly from: string | null; readonly to: string | null };

export const defaultTime = { preset: '30d' } as const satisfies TimeRange;

const timeSchema = z
  .string()
  .regex(/^(?!0000)\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?Z?)?$/)
  .transform((text) => `${text.replace('Z', '')}${text.includes('T') ? '' : 'T00:00'}`)
  .refine((text) => isRealTime(`${text}Z`));

export const timeFilter: FilterRow<TimeRange> = {
  read: (address) => {
    // A form sends both; when a preset is chosen, from and to are only left over.
    const range = address.raw('range');
    if (range === '' || range === 'custom') {
      const what = 'a time such as 2026-02-03T14:05 (UTC)';
      const from = address.resolve('from', shows('down')).one(timeSchema, 'from', what);
      const to = address.resolve('to', shows('up')).one(timeSchema, 'to', what);
      if (from !== null || to !== null) return { from, to };
      return range === 'custom' ? { preset: 'all' } : defaultTime;
    }
    const preset = address.one(z.enum(presets), 'range', `a range (${presets.join(', ')})`);
    return preset === null ? defaultTime : { preset };
  },
  print: (time) => {
    if ('preset' in time) return time.preset === defaultTime.preset ? [] : [['range', time.preset]];
    return [
      ...(time.from === null ? [] : [['from', time.from] as const]),
      ...(time.to === null ? [] : [['to', time.to] as const]),
    ];
  },
  inputs: (time) => {
    if ('preset' in time) return [['range', time.preset]];
    return [
      ['range', 'custom'],
      ['from', time.from ?? ''],
      ['from', time.from === null ? '' : toInput(time.from, 'down')],
      ['to', time.to ?? ''],
      ['to', time.to === null ? '' : toInput(time.to, 'up')],
    ];
  },
  chips: (time) => {
    if ('preset' in time && time.preset === 'all') return [];
    const range = 'preset' in time ? {} : { range: { from: time.from ?? '', to: time.to ?? '' } };
    return [{ label: describeTime(time), rest: { preset: 'all' }, ...range }];
  },
};

const hoursOf: Readonly<Record<Exclude<Preset, 'all' | 'today' | 'yesterday'>, number>> = {
  '1h': 1,
  '24h': 24,
  '7d': 7 * 24,
  '30d': 30 * 24,
};

/** Clocks differ, but an entry dated further ahead than this is not part of the last hour, or month. */
export const aheadMs = 5 * 60_000;

const dayMs = 24 * 3_600_000;

/**
 * Relative ranges start their length before `now` and end five minutes after it. Days are those of UTC; yesterday ends with its day.
 */
export function toBounds(time: TimeRange, now: Date): Pick<EntryQuery, 'from' | 'to'> {
  if (!('preset' in time)) return { from: time.from && `${time.from}Z`, to: time.to && `${time.to}Z` };
  if (time.preset === 'all') return { from: null, to: null };
  const today = Math.floor(now.getTime() / dayMs) * dayMs;
  const ahead = now.getTime() + aheadMs;
  const iso = (ms: number): string => new Date(ms).toISOString();
  switch (time.preset) {
    case 'today':
      return { from: iso(today), to: iso(ahead) };
    case 'yesterday':
      return { from: iso(today - dayMs), to: iso(today) };
    default:
      return { from: iso(now.getTime() - hoursOf[time.preset] * 3_600_000), to: iso(ahead) };
  }
}

/** The same range as of `now`, with fixed times; all time stays what it is. */
export function toFixed(time: TimeRange, now: Date): TimeRange {
  if (!('preset' in time)) return time;
  const { from, to } = toBounds(time, now);
  return to === null ? time : { from: from?.slice(0, -1) ?? null, to: to.slice(0, -1) };
}

export const presetWords: Readonly<Record<Preset, string>> = {
  '1h': 'Last hour',
  '24h': 'Last 24 hours',
  today: 'Today (UTC)',
  yesterday: 'Yesterday (UTC)',
  '7d': 'Last 7 days',
  '30d': 'Last 30 days',
  all: 'All time',
};

export function describeTime(time: TimeRange): string {
  if ('preset' in time) return presetWords[time.preset];
  const [from, to] = [time.from, time.to].map((at) => at?.replace('T', ' '));
  if (from && to) return `${from} to ${to} UTC`;
  return from ? `Since ${from} UTC` : `Before ${to} UTC`;
}

/** `from` is not before `to`: nothing can be in such a range. */
export function isEmptyRange(time: TimeRange): boolean {
  if ('preset' in time || time.from === null || time.to === null) return false;
  return toMicroseconds(time.from) >= toMicroseconds(time.to);
}

export function describeEmptyRange(time: TimeRange): string {
  const [from, to] = 'preset' in time ? [] : [time.from, time.to].map((at) => at?.replace('T', ' '));
  return `It starts at ${from} and ends at ${to} (UTC), which is not later. Change From or To.`;
}

/** Fixed width, so that its text sorts as its time. */
function toMicroseconds(time: string): string {
  const [minutes = '', decimals = ''] = time.split('.');
  return `${minutes.length === 16 ? `${minutes}:00` : minutes}.${decimals.padEnd(6, '0')}`;
}

/**
 * `<input type="datetime-local">` takes milliseconds, and empties itself for anything finer. So the form sends the exact time beside it;
 * the range that the inputs show holds all of the exact one.
 */
function toInput(time: string, rounded: 'down' | 'up'): string {
  const [seconds = '', decimals = ''] = time.split('.');
  if (decimals.length <= 3) return time;
  const down = `${seconds}.${decimals.slice(0, 3)}`;
  const next = new Date(Date.parse(`${down}Z`) + 1);
  const isExact = rounded === 'down' || /^0*$/.test(decimals.slice(3)) || Number.isNaN(next.getTime());
  return isExact ? down : next.toISOString().slice(0, -1);
}

/** Browsers leave out zeros. */
function shows(rounded: 'down' | 'up') {
  return (exact: string, typed: string): boolean =>
    toMicroseconds(toInput(exact, rounded)) === toMicroseconds(typed);
}
