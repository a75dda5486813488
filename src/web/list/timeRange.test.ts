import { expect, it } from 'vitest';
import { type Preset, presets, toBounds, toFixed } from './timeRange.ts';

const now = new Date('2026-03-01T10:20:30.456Z');

it.each<[Preset, string | null, string | null]>([
  ['1h', '2026-03-01T09:20:30.456Z', '2026-03-01T10:25:30.456Z'],
  ['today', '2026-03-01T00:00:00.000Z', '2026-03-01T10:25:30.456Z'],
  ['yesterday', '2026-02-28T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
  ['7d', '2026-02-22T10:20:30.456Z', '2026-03-01T10:25:30.456Z'],
  ['all', null, null],
])('the range %s is from %s to %s', (preset, from, to) => {
  expect(toBounds({ preset }, now)).toEqual({ from, to });
});

it('a range with fixed times is the same one for whoever opens it later', () => {
  const later = new Date('2030-01-01T00:00:00Z');
  for (const preset of presets.filter((each) => each !== 'all')) {
    const fixed = toFixed({ preset }, now);
    expect(toBounds(fixed, later)).toEqual(toBounds({ preset }, now));
    expect(toFixed(fixed, later)).toEqual(fixed);
  }
  expect(toFixed({ preset: 'all' }, now)).toEqual({ preset: 'all' });
});
