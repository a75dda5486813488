/** Waits, at the start, for a database that the collector can work with: whatever is missing may come at any time. */
import { pause } from '../basics/wait.ts';
import { checkServer, checkTables, type DatabaseCheck } from './check.ts';
import type { Migration } from './migrate.ts';
import type { Database } from './pool.ts';

/** A first install waits for its migration: it should not lose more than a moment. */
const tryIntervalMs = 2_000;
/** The same problem is reported again after it. */
const reminderMs = 60_000;

/**
 * Resolves once the database is reachable and a primary, its schema up to date, and the role has its rights.
 *
 * @param onProblem hears a sentence at once when what is missing changes, and once a minute while it stays.
 * @returns null if `stop` aborts before.
 */
export async function waitForDatabase(
  db: Database,
  own: readonly Migration[],
  onProblem: (problem: string) => void,
  stop: AbortSignal,
): Promise<{ readonly version: string } | null> {
  let reported = { problem: '', at: 0 };
  while (!stop.aborted) {
    const check = await checkDatabase(db, own);
    if (stop.aborted) return null;
    if (check.kind === 'ok') return check;
    const now = performance.now();
    if (check.problem !== reported.problem || now - reported.at >= reminderMs) {
      reported = { problem: check.problem, at: now };
      onProblem(check.problem);
    }
    await pause(tryIntervalMs, stop);
  }
  return null;
}

async function checkDatabase(db: Database, own: readonly Migration[]): Promise<DatabaseCheck> {
  const server = await checkServer(db);
  if (server.kind === 'failed') return server;
  const tables = await checkTables(db, own);
  return tables.kind === 'failed' ? tables : server;
}
