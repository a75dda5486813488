import type { FullEntry } from '../../database/entries.ts';
import { whatHappened } from '../what/summarize.ts';

/**
 * Writes an entry as one line of JSON, with what happened in words (null: the payload does not say so in a line); its metadata is Postgres's own text, so no number is rounded. `leftOut` names fields that are
 * too large for a text; metadata that is too large is null.
 */
export function entryJson({ metadata, leftOut, ...entry }: FullEntry): string {
  const marks = leftOut.length === 0 ? {} : { leftOut, leftOutWhy: 'too large to be written as text' };
  const what = whatHappened({ metadata, eventType: entry.eventType });
  return `${JSON.stringify({ ...entry, ...marks, what }).slice(0, -1)},"metadata":${metadata}}`;
}
