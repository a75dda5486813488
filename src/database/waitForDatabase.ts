/** Waits, at the start, for a database that the collector can work with: whatever is missing may come at any time. */
import { pause } from '../basics/wait.ts';
import { checkServer, checkTables } from './check.ts';
import { isAnyReplicaLive } from './leases.ts';
import type { Migration } from './migrate.ts';
import type { Database } from './pool.ts';

/** A first install waits for its migration: it should not lose more than a moment. */
const tryIntervalMs = 2_000;
/** The same problem is reported again after it. */
const reminderMs = 60_000;

interface WaitOptions {
  /** As in audit.replicas: identifies the configs that this collector knows. */
  readonly wants: () => string;
  /** Hears a sentence at once when what is missing changes, and once a minute while it stays. */
  readonly onProblem: (problem: string) => void;
  /** Hears of each try that failed. `isAlone`: no other collector is known to work on the same streams. */
  readonly onTry: (problem: string, isAlone: boolean) => void;
}

/**
 * Resolves once the database is reachable and a primary, its schema up to date, and the role has its rights.
 *
 * @returns null if `stop` aborts before.
 */
export async function waitForDatabase(
  db: Database,
  own: readonly Migration[],
  { wants, onProblem, onTry }: WaitOptions,
  stop: AbortSignal,
): Promise<{ readonly version: string } | null> {
  let reported = { problem: '', at: 0 };
  while (!stop.aborted) {
    const check = await tryDatabase(db, own, wants);
    if (stop.aborted) return null;
    if (check.kind === 'ok') return check;
    onTry(check.problem, check.isAlone);
    const now = performance.now();
    if (check.problem !== reported.problem || now - reported.at >= reminderMs) {
      reported = { problem: check.problem, at: now };
      onProblem(check.problem);
    }
    await pause(tryIntervalMs, stop);
  }
  return null;
}

type Try =
  | { readonly kind: 'ok'; readonly version: string }
  | { readonly kind: 'failed'; readonly problem: string; readonly isAlone: boolean };

async function tryDatabase(db: Database, own: readonly Migration[], wants: () => string): Promise<Try> {
  const server = await checkServer(db);
  if (server.kind === 'failed') return { ...server, isAlone: true };
  const tables = await checkTables(db, own);
  if (tables.kind === 'ok') return server;
  // While a newer version waits for its migration, the one before goes on.
  return { ...tables, isAlone: !(await isAnyReplicaLive(db, wants())) };
}
