import { randomBytes } from 'node:crypto';
import type { Database } from '../../src/database/pool.ts';

/** Makes a role that may log in and nothing else; returns its name and the URL of the same database for it. */
export async function makeRole(db: Database, url: string): Promise<{ role: string; url: string }> {
  const role = `role ${randomBytes(4).toString('hex')}`; // a space, so that quoting is proven too
  const password = randomBytes(12).toString('hex');
  await db.query(`create role "${role}" login password '${password}'`);
  const own = new URL(url);
  own.username = encodeURIComponent(role);
  own.password = password;
  return { role, url: own.href };
}
