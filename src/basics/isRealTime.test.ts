import { expect, test } from 'vitest';
import { isRealTime } from './isRealTime.ts';

test.each([
  '2026-02-28T14:05Z',
  '2026-02-28T14:05:59Z',
  '2026-02-28T14:05:59.1Z',
  '2024-02-29T00:00:00.123456Z',
])('%s exists', (text) => expect(isRealTime(text)).toBe(true));

test.each([
  '2026-02-29T14:05Z',
  '2026-02-31T14:05:00Z',
  '2026-04-31T00:00:00.5Z',
  '2026-01-01T24:00Z',
  'now',
])('%s does not', (text) => expect(isRealTime(text)).toBe(false));
