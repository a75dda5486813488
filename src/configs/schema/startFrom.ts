/** `spec.startFrom`: where a new stream begins. */
import { z } from 'zod';
import type { StartFrom } from '../../model/exportConfig.ts';
import { field } from './field.ts';

/** RFC 3339, with the offsets Postgres takes (up to 15:59) and without leap seconds. */
const timePattern =
  /\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-5]):[0-5]\d)/;
const wholeTime = new RegExp(`^${timePattern.source}$`);

/**
 * Days that no calendar has, and the year 0, which Postgres does not have. Without look-ahead, so that the CRD's rule is
 * the same pattern: 29 February in a year that is not a multiple of 4, or is one of 100 but not of 400.
 */
export const noSuchDay =
  /^(?:0000-|\d{4}-(?:0[2469]|11)-31|\d{4}-02-30|(?:\d{2}(?:[02468][1235679]|[13579][01345789])|(?:[02468][1235679]|[13579][01345789])00)-02-29)/;

export const noSuchDayProblem = 'there is no such day, correct the date';
export const setOnceProblem = 'cannot be changed: to begin elsewhere make another AuditExportConfig';

export const startFromSchema = field(
  z
    .string()
    .max(64)
    .regex(new RegExp(`^(?:Now|Beginning|${timePattern.source})$`))
    .superRefine((text, context) => {
      if (!wholeTime.test(text) || !noSuchDay.test(text)) return;
      context.addIssue(`is "${text}": ${noSuchDayProblem}`);
    })
    .default('Now'),
  {
    description:
      'Where the stream begins: Now, Beginning, or an RFC 3339 time of the entries. Set once: another beginning is another AuditExportConfig.',
    expected: 'Now, Beginning or an RFC 3339 time such as 2026-01-31T08:00:00Z',
  },
);

/** Whether a text is a time as `startFrom` takes it, and one that exists. */
export function isTime(text: string): boolean {
  return wholeTime.test(text) && !noSuchDay.test(text);
}

export function toStartFrom(text: string): StartFrom {
  if (text === 'Now') return { kind: 'now' };
  if (text === 'Beginning') return { kind: 'beginning' };
  return { kind: 'time', time: text };
}
