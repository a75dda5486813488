/** `spec.startFrom`: where a new stream begins. */
import { z } from 'zod';
import type { StartFrom } from '../../model/exportConfig.ts';
import { field } from './field.ts';

/** RFC 3339, with the offsets Postgres takes (up to 15:59) and without leap seconds. */
const TIME =
  /\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-5]):[0-5]\d)/;

export const startFromSchema = field(
  z
    .string()
    .max(64)
    .regex(new RegExp(`^(?:Now|Beginning|${TIME.source})$`))
    .superRefine((text, context) => {
      if (!new RegExp(`^${TIME.source}$`).test(text) || isCalendarDate(text)) return;
      context.addIssue({ code: 'custom', message: `is "${text}": there is no such day, correct the date` });
    })
    .default('Now'),
  {
    description:
      'Where the stream begins: Now, Beginning, or an RFC 3339 time of the entries. Set once: later changes have no effect.',
    expected: 'Now, Beginning or an RFC 3339 time such as 2026-01-31T08:00:00Z',
  },
);

export function toStartFrom(text: string): StartFrom {
  if (text === 'Now') return { kind: 'now' };
  if (text === 'Beginning') return { kind: 'beginning' };
  return { kind: 'time', time: text };
}

/** The year 0 exists for JavaScript, and not for Postgres. */
function isCalendarDate(time: string): boolean {
  const [year = 0, month = 0, day = 0] = time.slice(0, 10).split('-').map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
