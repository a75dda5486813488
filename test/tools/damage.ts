/** A row that Postgres cannot read any more, as after a fault of a disk. */
import type { Database } from '../../src/database/pool.ts';

/** Damages the stored pieces of the entry's metadata, which must be large enough to have some. */
export async function damage(db: Database, id: string): Promise<void> {
  const { rows } = await db.query<{ toast: string }>(
    `select reltoastrelid::regclass::text as toast from pg_class where oid = 'audit.entries'::regclass`,
  );
  const client = await db.connect();
  try {
    const toast = rows[0]?.toast ?? '';
    const setKind = (kind: string) =>
      client.query(`update pg_class set relkind = '${kind}' where oid = '${toast}'::regclass`);
    await client.query('set allow_system_table_mods = on');
    const { rows: values } = await client.query<{ chunk: string }>(
      'select pg_column_toast_chunk_id(metadata)::text as chunk from audit.entries where id = $1',
      [id],
    );
    // Postgres lets nobody write to it otherwise.
    await setKind('r');
    await client.query(`delete from ${toast} where chunk_seq = 1 and chunk_id = ${values[0]?.chunk}`);
    await setKind('t');
    // A deleted piece is still found until then.
    await client.query('vacuum audit.entries');
  } finally {
    client.release(true);
  }
}
