/** How many entries a new destination would send at once, counted up to a limit. */
import type { WindowFilter } from '../model/stream.ts';
import { boundedRead, isTimeout } from './boundedRead.ts';
import { filterCondition } from './filterCondition.ts';
import type { Database } from './pool.ts';

/** Beyond it the exact number changes nothing for a person. */
export const mostCounted = 10_000;
/** A form waits for it. */
const timeoutMs = 1_000;

/** At most `mostCounted` + 1, which stands for more; null: it takes too long to count. */
export async function countEntries(
  db: Database,
  organization: string,
  filter: WindowFilter,
): Promise<number | null> {
  try {
    return await boundedRead(db, timeoutMs, async (reader) => {
      const rows = await reader.query<{ count: number }>(
        `select count(*)::int as count from (
           select 1 from audit.entries where organization = $1 and ${filterCondition(filter)} limit $2) as e`,
        [organization, mostCounted + 1],
      );
      return rows[0]?.count ?? 0;
    });
  } catch (error) {
    if (isTimeout(error)) return null;
    throw error;
  }
}
