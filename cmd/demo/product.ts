/**
 * The sample product of `npm start`: writes audit entries in its own transactions, with the rights of a product (INSERT on
 * the documented columns). It has connections of its own, like a separate program.
 *
 * Behaves as products do: most transactions write one entry, some several, some roll back, and occasionally one stays
 * open for seconds while later ones commit, which must neither delay other entries nor lose any.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { makeEntries, type NewEntry } from './product/entries.ts';
import { makeRandom, type Random } from './product/random.ts';

export interface ProductOptions {
  readonly databaseUrl: string;
  /** Entries committed per second, on average; more than 0. */
  readonly perSecond: number;
  /** Ends the product: transactions under way are finished first. */
  readonly signal: AbortSignal;
  /** Called after each commit with the number of its entries. */
  readonly onCommit?: (entries: number) => void;
  /** Called with one sentence when writing begins to fail; the product keeps trying. */
  readonly onProblem?: (sentence: string) => void;
  /** Makes the entries repeatable. Default: they differ each time. */
  readonly seed?: number;
}

type Plan = 'commit' | 'roll back' | 'commit late';

const maxRowsPerTransaction = 6;
/** Transactions that stay open at the same time; each occupies a connection. */
const maxLate = 2;
const retryDelayMs = 1_000;
/** The most that a product that fell behind catches up on. */
const maxDebtMs = 500;

/** Writes until `signal` aborts; returns how many entries were committed. Never rejects because the database is down. */
export async function runProduct(options: ProductOptions): Promise<{ committed: number }> {
  const { signal, perSecond } = options;
  const random = makeRandom(options.seed ?? Date.now());
  const pool = makePool(options.databaseUrl, maxLate + 1);
  const late = new Set<Promise<void>>();
  let committed = 0;
  let failing = false;
  let dueAt = performance.now();

  function tellCommitted(entries: number): void {
    committed += entries;
    failing = false;
    options.onCommit?.(entries);
  }

  async function fail(error: unknown): Promise<void> {
    if (!failing)
      options.onProblem?.(`The sample product cannot write: ${describe(error)}; it goes on trying.`);
    failing = true;
    await wait(retryDelayMs, signal);
  }

  try {
    while (!signal.aborted) {
      const entries = makeEntries(random, new Date(), chooseRowCount(random));
      const plan = choosePlan(random, late.size < maxLate);
      const written = write(pool, entries, plan, random, signal).then((rows) => {
        if (rows > 0) tellCommitted(rows);
      }, fail);
      if (plan === 'commit late') {
        late.add(written);
        void written.finally(() => late.delete(written));
      } else {
        await written;
      }
      if (plan !== 'roll back') {
        // Exponential gaps: entries come in bursts and pauses, like those of independent people.
        dueAt += (-Math.log(1 - random.next()) * entries.length * 1_000) / perSecond;
        dueAt = Math.max(dueAt, performance.now() - maxDebtMs);
        await wait(dueAt - performance.now(), signal);
      }
    }
  } finally {
    await Promise.all(late);
    await pool.end();
  }
  return { committed };
}

function chooseRowCount(random: Random): number {
  return random.chance(0.12) ? random.integer(2, maxRowsPerTransaction) : 1;
}

function choosePlan(random: Random, mayBeLate: boolean): Plan {
  if (random.chance(0.04)) return 'roll back';
  return mayBeLate && random.chance(0.02) ? 'commit late' : 'commit';
}

/** Runs one transaction; returns the number of entries it committed. */
async function write(
  pool: pg.Pool,
  entries: readonly NewEntry[],
  plan: Plan,
  random: Random,
  signal: AbortSignal,
): Promise<number> {
  const openMs = random.integer(500, 4_000);
  const client = await pool.connect();
  let failure: unknown;
  try {
    await client.query('begin');
    for (const entry of entries) await insert(client, [entry]);
    if (plan === 'commit late') await wait(openMs, signal);
    await client.query(plan === 'roll back' ? 'rollback' : 'commit');
    return plan === 'roll back' ? 0 : entries.length;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // A connection with a failed transaction is closed, which rolls it back.
    client.release(failure !== undefined);
  }
}

export interface HistoryOptions {
  readonly databaseUrl: string;
  readonly count: number;
  /** The oldest entry is this many days old, the newest a minute. Default 30. */
  readonly days?: number;
  readonly signal?: AbortSignal;
  readonly seed?: number;
}

const historyBatchRows = 1_000;

/**
 * Writes `count` older entries, oldest first, a thousand per statement. Returns how many were written: fewer if aborted.
 *
 * @throws Error of node-postgres; what was written before stays.
 */
export async function seedHistory(options: HistoryOptions): Promise<{ written: number }> {
  const random = makeRandom(options.seed ?? Date.now());
  const pool = makePool(options.databaseUrl, 1);
  const newestMs = Date.now() - 60_000;
  const spanMs = (options.days ?? 30) * 86_400_000 - 60_000;
  let written = 0;
  try {
    while (written < options.count && !options.signal?.aborted) {
      const rows = Math.min(historyBatchRows, options.count - written);
      const entries = Array.from({ length: rows }, (_, index) => {
        const age = 1 - (written + index) / Math.max(1, options.count - 1);
        return makeEntries(random, new Date(Math.round(newestMs - age * spanMs)), 1);
      });
      await insert(pool, entries.flat());
      written += rows;
    }
  } finally {
    await pool.end();
  }
  return { written };
}

function makePool(databaseUrl: string, max: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max,
    application_name: 'sample-product',
    connectionTimeoutMillis: 5_000,
  });
  // A broken connection is replaced at its next use. One that breaks in use reports it twice: its statement fails, and
  // it emits an error of its own, which ends the process if nothing listens.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

const insertSql = `
  insert into audit.entries
    (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at)
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[])`;

async function insert(client: pg.Pool | pg.PoolClient, entries: readonly NewEntry[]): Promise<void> {
  await client.query({
    text: insertSql,
    values: [
      entries.map((entry) => entry.organization),
      entries.map((entry) => entry.eventType),
      entries.map((entry) => entry.actorId),
      entries.map((entry) => entry.actorName),
      entries.map((entry) => entry.sessionType),
      entries.map((entry) => entry.project),
      entries.map((entry) => entry.metadata),
      entries.map((entry) => entry.occurredAt.toISOString()),
    ],
  });
}

/** Returns early, without an error, when the signal aborts. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  await delay(ms, undefined, { signal }).catch(() => {});
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const code = 'code' in error ? String(error.code) : '';
  return [error.message, code && `(${code})`].filter(Boolean).join(' ') || error.name;
}
