/** Remembers addresses that are too long for a cookie while somebody signs in: rows of audit.page_sessions that expire soon. */
import type { Database } from './pool.ts';

/** No session has an id like this: those have no colon. */
const prefix = 'return:';
const lifetimeSeconds = 15 * 60;
/** Anybody can begin a login, so what they leave behind is bounded: 1,000 addresses of at most 16 KB. */
const mostKept = 1_000;

/** false: too many people are signing in at the moment, and nothing was stored. @param sealed not readable in the table. */
export async function keepLongReturn(db: Database, id: string, sealed: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into audit.page_sessions (sid, sess, expire)
     select $1::text, json_build_object('sealed', $2::text), now() + $3 * interval '1 second'
     where (select count(*) from audit.page_sessions where starts_with(sid, $4)) < $5`,
    [prefix + id, sealed, lifetimeSeconds, prefix, mostKept],
  );
  return rowCount === 1;
}

/** null: there is none, or it has expired. */
export async function findLongReturn(db: Database, id: string): Promise<string | null> {
  const { rows } = await db.query<{ sealed: string }>(
    "select sess->>'sealed' as sealed from audit.page_sessions where sid = $1 and expire > now()",
    [prefix + id],
  );
  return rows[0]?.sealed ?? null;
}
