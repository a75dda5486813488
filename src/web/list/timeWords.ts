/** The chosen range of time in words. */
import type { Filters, Preset } from './filters.ts';

export const presetWords: Readonly<Record<Preset, string>> = {
  '1h': 'Last hour',
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
  '30d': 'Last 30 days',
  all: 'All time',
};

export function describeTime(time: Filters['time']): string {
  if ('preset' in time) return presetWords[time.preset];
  const [from, to] = [time.from, time.to].map((at) => at?.replace('T', ' '));
  if (from && to) return `${from} to ${to} UTC`;
  return from ? `Since ${from} UTC` : `Before ${to} UTC`;
}
