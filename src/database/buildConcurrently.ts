/** Builds one index while a product keeps writing: the part of a migration that cannot run in a transaction. */
import type pg from 'pg';
import { pause } from '../basics/wait.ts';
import { GuardedClient } from './guardedClient.ts';

export interface Build {
  /** Holds the lock of the migrations in an open transaction. It has no snapshot between statements, so the build does not wait for it. */
  readonly lock: pg.PoolClient;
  /** Options of the building connection, a separate one, because a pool's statements end after a minute. */
  readonly options: pg.PoolOptions;
  readonly onProgress: (sentence: string) => void;
}

/** How often progress is checked; this also keeps the lock's connection from looking idle to a network. */
const progressIntervalMs = 5_000;

/**
 * Runs `create index concurrently if not exists NAME on audit.TABLE …`. What a failed try left behind is dropped first;
 * an index that was built but not recorded is left as it is.
 *
 * @throws the database's error; an invalid index may stay, which the next try drops.
 */
export async function buildConcurrently({ lock, options, onProgress }: Build, sql: string): Promise<void> {
  const name = /create (?:unique )?index concurrently if not exists (\w+) on audit\./.exec(sql)?.[1];
  if (name === undefined)
    throw new Error('a concurrent migration is not one "create index concurrently if not exists"');
  const builder: pg.Client = new GuardedClient({ ...options, query_timeout: 0 });
  // The running statement rejects as well.
  builder.on('error', () => {});
  await builder.connect();
  let watch: Promise<void> | undefined;
  const done = new AbortController();
  try {
    await builder.query(
      `select set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)`,
    );
    const invalid = await builder.query(
      `select from pg_index i join pg_class c on c.oid = i.indexrelid
       where c.relname = $1 and c.relnamespace = 'audit'::regnamespace and not i.indisvalid`,
      [name],
    );
    if (invalid.rowCount === 1) await builder.query(`drop index concurrently audit.${name}`);
    watch = watchProgress(lock, name, onProgress, done.signal);
    // Awaited below, after the build.
    watch.catch(() => {});
    await builder.query(sql);
  } finally {
    done.abort();
    await watch;
    await builder.end();
  }
}

async function watchProgress(
  lock: pg.PoolClient,
  name: string,
  onProgress: (sentence: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await pause(progressIntervalMs, signal);
    if (signal.aborted) return;
    const { rows } = await lock.query<{ phase: string; percent: number | null; waits_for: number | null }>(
      `select phase, round(100.0 * blocks_done / nullif(blocks_total, 0))::int as percent, nullif(current_locker_pid, 0)::int as waits_for
       from pg_stat_progress_create_index where datname = current_database() and command like 'CREATE INDEX CONCURRENTLY%'`,
    );
    const row = rows[0];
    if (!row) continue;
    const waits = row.waits_for === null ? '' : `, waits for the transaction of process ${row.waits_for}`;
    const percent = row.percent === null ? '' : `, ${row.percent} %`;
    onProgress(`Building index ${name}: ${row.phase}${percent}${waits}. Writers are not held up.`);
  }
}
