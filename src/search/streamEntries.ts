/** Streams every entry of a query, for a download: page by page, in bounded memory. */
import type { Cursor } from '../database/cursor.ts';
import { type FullEntry, readEntries } from '../database/entries.ts';
import type { EntryQuery } from '../database/entryQuery.ts';
import type { Database } from '../database/pool.ts';
import { findEntries } from './findEntries.ts';

const pageLimit = 500;

/**
 * Yields the newest first, each entry once. Leaves out entries committed meanwhile that are newer than the current position. A search
 * that finds little may yield nothing for long; `onProgress` then says how far back it is.
 *
 * @throws the database's error, or the signal's reason.
 */
export async function* streamEntries(
  db: Database,
  query: EntryQuery,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (searchedBackTo: string) => void } = {},
): AsyncGenerator<FullEntry, void, undefined> {
  let cursor: Cursor | null = null;
  do {
    const options = signal ? { limit: pageLimit, signal } : { limit: pageLimit };
    const found = await findEntries(db, query, cursor, options);
    let ids = found.entries.map((entry) => entry.id);
    while (ids.length > 0) {
      signal?.throwIfAborted();
      const { entries, read } = await readEntries(db, query.organization, ids);
      yield* entries;
      ids = ids.slice(read);
    }
    if (found.next) onProgress?.(found.next.occurredAt);
    cursor = found.next;
  } while (cursor);
}
