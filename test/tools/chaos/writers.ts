/** Products that write entries: several at a time, out of order, with late commits; they come back after a failover. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Commits } from './commits.ts';
import { seededRandom } from './random.ts';

export interface Writers {
  /** Resolves when the transactions under way are over. */
  stop(): Promise<void>;
}

export function startWriters(options: {
  /** Of the primary of the moment. */
  readonly url: () => string;
  readonly organizations: readonly string[];
  readonly count: number;
  readonly commits: Commits;
}): Writers {
  let isStopping = false;
  const write = async (n: number): Promise<void> => {
    const random = seededRandom(n * 1_000_003);
    while (!isStopping) {
      const session = new pg.Client({ connectionString: options.url(), connectionTimeoutMillis: 2_000 });
      session.on('error', () => {});
      try {
        await session.connect();
        while (!isStopping) {
          const organization =
            options.organizations[Math.floor(random() * options.organizations.length)] ?? '';
          const uids = await writeTransaction(session, organization, random);
          options.commits.add(organization, uids);
          await delay(random() * 60);
        }
      } catch {
        // The server is gone for the moment. What became of the transaction, the table tells.
        await delay(100);
      } finally {
        await session.end().catch(() => {});
      }
    }
  };
  const done = Promise.all(Array.from({ length: options.count }, (_, n) => write(n + 1)));
  return {
    async stop() {
      isStopping = true;
      await done;
    },
  };
}

/** One transaction: single and multi-row inserts, savepoints, rollbacks, pauses while it is open. Returns what it committed. */
async function writeTransaction(
  session: pg.Client,
  organization: string,
  random: () => number,
): Promise<string[]> {
  const uids: string[] = [];
  await session.query('begin');
  const statements = 1 + Math.floor(random() * 3);
  for (let i = 0; i < statements; i++) {
    uids.push(...(await insert(session, organization, 1 + Math.floor(random() * 8))));
    if (random() < 0.3) {
      await session.query('savepoint s');
      const inSavepoint = await insert(session, organization, 2);
      if (random() < 0.5) await session.query('rollback to savepoint s');
      else uids.push(...inSavepoint);
    }
    if (random() < 0.2) await delay(random() * 120);
  }
  // Now and then much later than everything that was written after it.
  if (random() < 0.03) await delay(2_000 + random() * 3_000);
  const isKept = random() < 0.85;
  await session.query(isKept ? 'commit' : 'rollback');
  return isKept ? uids : [];
}

async function insert(session: pg.Client, organization: string, count: number): Promise<string[]> {
  const { rows } = await session.query<{ uid: string }>(
    `insert into audit.entries (organization, event_type, metadata)
     select $1, 'flow.created', jsonb_build_object('n', n) from generate_series(1, $2::integer) n returning uid::text`,
    [organization, count],
  );
  return rows.map((row) => row.uid);
}
