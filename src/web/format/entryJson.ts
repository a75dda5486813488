import type { FullEntry } from '../../database/entries.ts';

/** An entry as one line of JSON; its metadata is the text that Postgres has, so that no number is rounded. */
export function entryJson({ metadata, ...entry }: FullEntry): string {
  return `${JSON.stringify(entry).slice(0, -1)},"metadata":${metadata}}`;
}
