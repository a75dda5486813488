/** Counts entries dated in the future: by a clock that is wrong, or by somebody who wants to bury other entries. */
import { boundedRead } from './boundedRead.ts';
import type { Database } from './pool.ts';

const timeoutMs = 1_000;

/** Counts an organization's entries dated at or after `from` (RFC 3339), up to `cap`; reads only the index. */
export async function countDatedAfter(
  db: Database,
  organization: string,
  from: string,
  cap: number,
): Promise<number> {
  const [row] = await boundedRead(db, timeoutMs, (reader) =>
    reader.query<{ n: number }>(
      `select count(*)::int as n from (
         select from audit.entries e where e.organization = $1::text and e.occurred_at >= $2::timestamptz
         order by e.occurred_at desc limit $3::int) counted`,
      [organization, from, cap],
    ),
  );
  return row?.n ?? 0;
}
