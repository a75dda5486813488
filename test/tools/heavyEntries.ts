/** Entries that the table took before it bounded their text: small as they are stored, huge as text. */
import type { Database } from '../../src/database/pool.ts';

/** Organization acme; SQL expressions. */
export interface HeavyEntry {
  readonly metadata: string;
  readonly actorName?: string;
}

const numbers = (count: number): HeavyEntry => ({
  metadata: `(select jsonb_agg('1e131071'::jsonb) from generate_series(1, ${count}))`,
});

export const heavyEntries = {
  /** 253 bytes stored, 105 MB as text. */
  numbers800: numbers(800),
  /** 420 MB. */
  numbers3200: numbers(3_200),
  /** Over a gigabyte: Postgres cannot build it. */
  numbers8300: numbers(8_300),
  /** Zeros with 16,383 decimals: 330 MB. */
  zeros: { metadata: `(select jsonb_agg('0e-16383'::jsonb) from generate_series(1, 20000))` },
  name: { metadata: `'{}'`, actorName: `repeat('x', 40000000)` },
  nulls: { metadata: `(select jsonb_agg(null::text) from generate_series(1, 4000000))` },
  deep: { metadata: `(repeat('[', 3000) || repeat(']', 3000))::jsonb` },
  /** 7.9 MB as text: one that is read. */
  nearly: numbers(60),
} as const satisfies Record<string, HeavyEntry>;

/** Returns the id. The table's checks are left out for it, as for what was written before there were any. */
export async function writeOldEntries(
  db: Database,
  { metadata, actorName = 'null' }: HeavyEntry,
): Promise<string> {
  const client = await db.connect();
  try {
    await client.query('begin');
    const { rows: checks } = await client.query<{ name: string; definition: string }>(
      `select quote_ident(conname) as name, pg_get_constraintdef(oid) as definition from pg_constraint
       where conrelid = 'audit.entries'::regclass and contype = 'c'`,
    );
    for (const { name } of checks) await client.query(`alter table audit.entries drop constraint ${name}`);
    const { rows } = await client.query<{ id: string }>(
      `insert into audit.entries (organization, event_type, actor_name, metadata)
       values ('acme', 'heavy.one', ${actorName}, ${metadata}) returning id::text`,
    );
    for (const { name, definition } of checks)
      await client.query(
        `alter table audit.entries add constraint ${name} ${definition.replace(/ not valid$/i, '')} not valid`,
      );
    await client.query('commit');
    return rows[0]?.id ?? '';
  } finally {
    client.release();
  }
}
