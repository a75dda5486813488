/** Entries as small as they are stored and as large as they are read, from before anything bounded them. */
import { openSession } from '../database.ts';

/** `[1e131071, …]`: 12 bytes a number in the table, 131,072 as text. */
const numbers = (count: number): string =>
  `(select jsonb_agg('1e131071'::jsonb) from generate_series(1, ${count}))`;

const rows: readonly string[] = [
  `'numbers', null, ${numbers(800)}`,
  // More than a text can be: no statement that asks for it is answered (54000).
  `'unreadable', null, ${numbers(8_300)}`,
  `'name', repeat('x', 100000000), '{}'`,
  `'nulls', null, (select jsonb_agg(null::jsonb) from generate_series(1, 2000000))`,
];

/**
 * Writes them among `ordinary` others of the organization, as the owner, with the table's bounds away for the moment: a
 * database that was there before the bounds. Returns the ids of the worst.
 */
export async function writeWorstEntries(
  url: string,
  organization: string,
  ordinary: number,
): Promise<string[]> {
  const session = await openSession(url);
  const checks = await session.query<{ name: string; definition: string }>(
    `select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
     where conrelid = 'audit.entries'::regclass and contype = 'c'`,
  );
  await session.query('begin');
  await session.query('alter table audit.entries disable trigger user');
  for (const { name } of checks.rows)
    await session.query(`alter table audit.entries drop constraint "${name}"`);
  const ids: string[] = [];
  for (const row of rows) {
    await session.query(
      `insert into audit.entries (organization, event_type, metadata)
       select $1, 'ordinary', jsonb_build_object('n', n) from generate_series(1, $2::integer) n`,
      [organization, Math.ceil(ordinary / rows.length)],
    );
    const { rows: written } = await session.query<{ id: string }>(
      `insert into audit.entries (organization, event_type, actor_name, metadata) values ($1, ${row}) returning id::text`,
      [organization],
    );
    ids.push(...written.map(({ id }) => id));
  }
  for (const { name, definition } of checks.rows) {
    const old = definition.endsWith('NOT VALID') ? definition : `${definition} not valid`;
    await session.query(`alter table audit.entries add constraint "${name}" ${old}`);
  }
  await session.query('commit');
  await session.end();
  return ids;
}
