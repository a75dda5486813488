/** Prepares the demo's database as a platform team would: schema up to date, one role for the product, one for the collector. */
import { createHmac } from 'node:crypto';
import { migrate, readMigrations } from '../../src/database/migrate.ts';
import { type Database, makePool } from '../../src/database/pool.ts';
import { Secret } from '../../src/model/secret.ts';

export interface DemoDatabase {
  /** URL of the sample product's role: INSERT on the documented columns. */
  readonly productUrl: string;
  /** URL of the collector's role: neither superuser nor owner. */
  readonly collectorUrl: string;
  /** No entry was ever written. */
  readonly isEmpty: boolean;
}

/**
 * Safe to repeat on a database of an earlier run.
 *
 * @throws Error one sentence if a newer program has migrated it; else the database's error.
 */
export async function prepareDatabase(superuserUrl: string): Promise<DemoDatabase> {
  const db = makePool({ url: () => new Secret(superuserUrl), size: 1, onIdleError: () => {} });
  try {
    const result = await migrate(db, await readMigrations());
    if (result.kind === 'too-new') throw new Error(result.problem);
    const productUrl = await makeRole(db, superuserUrl, 'product', 'grant_writer');
    const collectorUrl = await makeRole(db, superuserUrl, 'collector', 'grant_collector');
    const { rows } = await db.query<{ empty: boolean }>(
      'select not exists (select from audit.entries) as empty',
    );
    return { productUrl, collectorUrl, isEmpty: rows[0]?.empty ?? true };
  } finally {
    await db.end();
  }
}

/** Returns the URL the role connects with. Its password is derived from the superuser's: the same in every run, stored nowhere. */
async function makeRole(
  db: Database,
  superuserUrl: string,
  role: 'product' | 'collector',
  grant: 'grant_writer' | 'grant_collector',
): Promise<string> {
  const url = new URL(superuserUrl);
  const password = createHmac('sha256', url.password).update(role).digest('base64url').slice(0, 20);
  const known = await db.query('select from pg_roles where rolname = $1', [role]);
  if (known.rowCount === 0) await db.query(`create role ${role}`);
  await db.query(`alter role ${role} login password '${password}'`);
  await db.query(`select audit.${grant}('${role}')`);
  url.username = role;
  url.password = password;
  return url.href;
}
