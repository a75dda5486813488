import type { FullEntry } from '../../database/entries.ts';

/**
 * An entry as one line of JSON; its metadata is the text that Postgres has, so that no number is rounded. What is too large for a text
 * is named in `leftOut`, and metadata of that kind is null.
 */
export function entryJson({ metadata, leftOut, ...entry }: FullEntry): string {
  const marks = leftOut.length === 0 ? {} : { leftOut, leftOutWhy: 'too large to be written as text' };
  return `${JSON.stringify({ ...entry, ...marks }).slice(0, -1)},"metadata":${metadata}}`;
}
