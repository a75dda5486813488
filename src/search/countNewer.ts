/** How many entries have come since a list was read. */
import type { EntryQuery } from '../database/entryQuery.ts';
import { hasNul } from '../database/entryQuery.ts';
import { countCommittedSince, type Mark } from '../database/newEntries.ts';
import type { Database } from '../database/pool.ts';
import { listNeedles } from './needles.ts';

/** Matches committed since, `cap` at most; fewer than there are when they take too long to find. */
export async function countNewer(db: Database, query: EntryQuery, since: Mark, cap: number): Promise<number> {
  return hasNul(query) ? 0 : countCommittedSince(db, query, listNeedles(query), since, cap);
}
