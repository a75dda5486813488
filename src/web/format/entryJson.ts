import type { FullEntry } from '../../database/entries.ts';

/**
 * Writes an entry as one line of JSON; its metadata is Postgres's own text, so no number is rounded. `leftOut` names fields that are
 * too large for a text; metadata that is too large is null.
 */
export function entryJson({ metadata, leftOut, ...entry }: FullEntry): string {
  const marks = leftOut.length === 0 ? {} : { leftOut, leftOutWhy: 'too large to be written as text' };
  return `${JSON.stringify({ ...entry, ...marks }).slice(0, -1)},"metadata":${metadata}}`;
}
