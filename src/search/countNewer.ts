/** How many entries have come since a page was shown. */
import type { Cursor } from '../database/cursor.ts';
import type { EntryQuery } from '../database/entryQuery.ts';
import type { Database } from '../database/pool.ts';
import { findEntries } from './findEntries.ts';

const budgetMs = 300;

/** Matches newer than `cursor`, `cap` at most; fewer than there are when they take too long to find. */
export async function countNewer(
  db: Database,
  query: EntryQuery,
  cursor: Cursor,
  cap: number,
): Promise<number> {
  const found = await findEntries(db, query, cursor, { limit: cap, direction: 'newer', budgetMs });
  return found.entries.length;
}
