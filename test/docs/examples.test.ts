/** The SQL and the JavaScript of the documentation, run as they stand. */
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { migrateDatabase, openDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { makeRole } from '../tools/roles.ts';
import { readCodeBlocks } from './codeBlocks.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function setUp(): Promise<{ url: string; db: Database }> {
  const url = await postgres.createDatabase();
  const db = openDatabase(url);
  onTestFinished(() => db.end());
  // What the examples find there: a product's table, a stream, a parked entry.
  await db.query(`
    create table flows (id int primary key, retries int);
    insert into flows values (42, 3);
    insert into audit.entries (organization, event_type, metadata) values ('acme', 'flow.created', '{}');
    insert into audit.streams (id, config_key, organization, destination, cluster, settled)
      values ('018f2c1e-0000-7000-8000-000000000000', 'default/acme', 'acme', 'default.acme-siem', audit.cluster_id(), pg_current_snapshot());
    insert into audit.parked (stream, sequence, entry_id, observed_at, reason, message)
      select s.id, 1, e.id, now(), 'EntryRefused', 'no' from audit.streams s, audit.entries e;`);
  return { url, db };
}

describe.each([
  ['docs/writing-entries.md', 2],
  ['docs/operations.md', 4],
  ['docs/troubleshooting.md', 5],
])('the SQL of %s', (page, least) => {
  test('runs', async () => {
    const { db } = await setUp();
    const blocks = (await readCodeBlocks(page)).filter(({ language }) => language === 'sql');
    expect(blocks.length).toBeGreaterThanOrEqual(least - 1);
    const client = await db.connect();
    try {
      for (const { text } of blocks) {
        const sql = text.replaceAll("'018f2c1e-…'", "'018f2c1e-0000-7000-8000-000000000000'");
        await expect(client.query(sql), text).resolves.toBeDefined();
      }
    } finally {
      client.release();
      await db.query('drop owned by my_product, audit_export').catch(() => {});
      await db.query('drop role if exists my_product, audit_export');
    }
  });
});

describe('the example with node-postgres in docs/writing-entries.md', () => {
  async function setUpExample() {
    const { url, db } = await setUp();
    const { role, url: productUrl } = await makeRole(db, url);
    await db.query('select audit.grant_writer($1)', [role]);
    await db.query(`grant select, update on flows to "${role}"`);
    await db.query('delete from audit.parked; delete from audit.entries');
    const pool = new pg.Pool({ connectionString: productUrl });
    onTestFinished(() => pool.end());
    const [block] = (await readCodeBlocks('docs/writing-entries.md')).filter(
      ({ language }) => language === 'js',
    );
    const AsyncFunction = (async () => {}).constructor as new (
      ...args: string[]
    ) => (pool: pg.Pool) => Promise<void>;
    const run = new AsyncFunction('pool', block?.text ?? 'throw new Error("no example")');
    const look = async () => ({
      flows: (await db.query('select retries from public.flows where id = 42')).rows,
      entries: (
        await db.query(
          'select organization, event_type, actor_id, actor_name, project, metadata from audit.entries',
        )
      ).rows,
    });
    return { db, pool, run: () => run(pool), look };
  }

  test('commits the change and its entry together, as a role that may do no more', async () => {
    const { run, look } = await setUpExample();
    await run();
    expect(await look()).toEqual({
      flows: [{ retries: 5 }],
      entries: [
        {
          organization: 'acme',
          event_type: 'flow.updated',
          actor_id: 'u-17',
          actor_name: 'Ada',
          project: 'web',
          metadata: { flowId: 42, retries: { before: 3, after: 5 } },
        },
      ],
    });
  });

  test('leaves neither when the entry is refused, and gives its connection back', async () => {
    const { db, pool, run, look } = await setUpExample();
    await db.query(`alter table audit.entries add constraint none check (event_type <> 'flow.updated')`);
    await expect(run()).rejects.toThrow('none');
    expect(await look()).toEqual({ flows: [{ retries: 3 }], entries: [] });
    expect(pool.idleCount).toBe(pool.totalCount);
  });
});
