/** Writes single entries as a product does: one insert, one commit, one after the other on each connection. */
import pg from 'pg';
import { loadSample, type SampleEntry } from './entries.ts';

/** Parameters of `insertSql`, in its order. */
function insertValues(organization: string, entry: SampleEntry): unknown[] {
  return [
    organization,
    entry.eventType,
    entry.actorId,
    entry.actorName,
    entry.sessionType,
    entry.project,
    entry.metadata,
  ];
}

/** `occurred_at` is now. Prepared once on each connection, as drivers and ORMs do for a hot statement. */
function insertSql(table: string): string {
  return `insert into ${table} (organization, event_type, actor_id, actor_name, session_type, project, metadata)
    values ($1, $2, $3, $4, $5, $6, $7) returning uid`;
}

export interface WriterOptions {
  readonly databaseUrl: string;
  readonly table: string;
  readonly clients: number;
  /** Entries per second of all clients together, evenly paced; absent: as fast as commits return. */
  readonly perSecond?: number;
  /** How long; absent: until `count` are written. */
  readonly seconds?: number;
  readonly count?: number;
  /** Whose the `n`th entry is; absent: all are acme's. */
  readonly organization?: (n: number) => string;
  /** Called when a commit has returned, with what it took. */
  readonly onCommit?: (uid: string, tookMs: number) => void;
}

/** Entries committed, and the seconds taken. A client that fell behind its pace catches up. */
export async function writeEntries(options: WriterOptions): Promise<{ count: number; seconds: number }> {
  const { entries } = loadSample();
  const text = insertSql(options.table);
  const clients = Array.from(
    { length: options.clients },
    () => new pg.Client({ connectionString: options.databaseUrl }),
  );
  await Promise.all(clients.map((client) => client.connect()));
  let next = 0;
  let count = 0;
  const startedAt = performance.now();
  const endsAt = startedAt + (options.seconds ?? Number.POSITIVE_INFINITY) * 1000;
  const most = options.count ?? Number.POSITIVE_INFINITY;
  await Promise.all(
    clients.map(async (client) => {
      for (;;) {
        const n = next++;
        const dueAt =
          options.perSecond === undefined ? startedAt : startedAt + (n * 1000) / options.perSecond;
        if (n >= most || Math.max(dueAt, performance.now()) >= endsAt) return;
        await sleepUntil(dueAt);
        const entry = entries[n % entries.length];
        if (!entry) throw new Error('the sample is empty');
        const sentAt = performance.now();
        const result = await client.query<{ uid: string }>({
          name: 'insert',
          text,
          values: insertValues(options.organization?.(n) ?? 'acme', entry),
        });
        count++;
        options.onCommit?.(result.rows[0]?.uid ?? '', performance.now() - sentAt);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  await Promise.all(clients.map((client) => client.end()));
  return { count, seconds };
}

/** Timers are up to a millisecond late, which a paced client compensates with its next entries. */
async function sleepUntil(atMs: number): Promise<void> {
  const waitMs = atMs - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
}
