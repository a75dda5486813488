/**
 * Retention of seconds under fire: writers with late commits, receivers down at random, collectors that are killed, and somebody with
 * the collector's role who wants more to go. Whatever goes is at every receiver of its organization, old enough, sealed, and under no
 * hold; and whoever verifies the table in the middle of it finds nothing wrong.
 *
 * CHAOS_SECONDS makes it longer.
 */
import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Fingerprinter } from '../../src/ledger/fingerprint.ts';
import { Isolation } from '../../src/ledger/isolation.ts';
import { LedgerKey } from '../../src/ledger/ledgerKey.ts';
import { scrubNext } from '../../src/ledger/scrub.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { exitCodes } from '../../src/verify/report.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { Commits } from '../tools/chaos/commits.ts';
import { type Mood, startMoodyReceiver } from '../tools/chaos/moodyReceiver.ts';
import { startWriters } from '../tools/chaos/writers.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { migrateDatabase, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { makeRole } from '../tools/roles.ts';
import { runVerifyTable } from '../verify/runVerify.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

const runSeconds = Number(process.env['CHAOS_SECONDS'] ?? 60);
/** Seconds that entries are kept. */
const kept: Readonly<Record<string, number>> = { ada: 3, bob: 6, cy: 2 };
const destinations: ReadonlyArray<{ name: string; organization: string; moods: Mood[] }> = [
  { name: 'ada-1', organization: 'ada', moods: ['reset', 'error'] },
  { name: 'bob-1', organization: 'bob', moods: ['busy', 'hang'] },
  { name: 'bob-2', organization: 'bob', moods: ['errorMessage', 'html'] },
];

interface Gone {
  readonly uid: string;
  readonly organization: string;
  readonly type: string;
  readonly age: number;
  readonly held: boolean;
}

test(`${runSeconds} s: nothing that is young, undelivered or held goes, and in the end all that is due has gone`, {
  timeout: runSeconds * 1_000 + 240_000,
}, async () => {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 4);
  onTestFinished(() => db.end());
  const { role, url: roleUrl } = await makeRole(db, url);
  await db.query('select audit.grant_collector($1)', [role]);
  // Whatever goes leaves a note, whoever has deleted it.
  await db.query(`create table public.gone (uid uuid, organization text, type text, age double precision, held boolean);
    create function public.note_gone() returns trigger language plpgsql security definer as $$ begin
      insert into public.gone values (old.uid, old.organization, old.event_type,
        extract(epoch from clock_timestamp() - old.occurred_at), exists (select from audit.holds h where h.organization = old.organization
          and h.released_at is null and old.occurred_at >= h.since and old.occurred_at < h.until));
      return null; end $$;
    create trigger note_gone after delete on audit.entries for each row execute function public.note_gone()`);
  for (const [organization, seconds] of Object.entries(kept))
    await db.query('select audit.set_retention($1, make_interval(secs => $2))', [organization, seconds]);

  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = String(privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const keys = [new LedgerKey(privateKey)];
  const receivers = new Map<string, Awaited<ReturnType<typeof startMoodyReceiver>>>();
  const collectors = await Promise.all(
    ['a', 'b'].map((name) =>
      makeCollectorProcess(roleUrl, { REPLICA_NAME: name, LOG_LEVEL: 'warn', LEDGER_KEY: pem }),
    ),
  );
  const [first, second] = collectors;
  if (!first || !second) throw new Error('there are two');
  for (const [seed, { name, organization, moods }] of destinations.entries()) {
    const moody = await startMoodyReceiver({ moods, failovers: [], seed: seed + 1 });
    onTestFinished(() => moody.receiver.stop());
    receivers.set(name, moody);
    for (const collector of collectors)
      await collector.writeConfig(name, {
        organization,
        endpoint: moody.receiver.endpoint,
        startFrom: 'Beginning',
        maxBatchSize: 50,
        timeoutSeconds: 2,
      });
  }
  for (const collector of collectors) collector.start();
  // An entry waits for the streams that there are, and the attacker does not wait for them as a collector does.
  await waitFor(async () => (await db.query('select from audit.streams')).rowCount === destinations.length, {
    describe: first.output,
  });
  const { rows: holds } = await db.query<{ id: string }>(
    `select audit.hold('bob', 'Case 7', since => now() + interval '5 seconds', until => now() + interval '15 seconds') as id`,
  );
  const commits = new Commits();
  const writers = startWriters({ url: () => url, organizations: Object.keys(kept), count: 3, commits });
  const attacker = startAttacker(roleUrl);

  // The pace of the kills is the test's own doing, not a wait for something.
  const endsAt = performance.now() + runSeconds * 1_000;
  const verified: Array<{ code: number; said: string[] }> = [];
  let kills = 0;
  for (; performance.now() < endsAt; kills++) {
    await delay(1_500 + Math.random() * 3_000);
    const collector = kills % 2 === 0 ? first : second;
    await collector.kill('SIGKILL');
    collector.start();
    const organization = Object.keys(kept)[kills % 3] ?? '';
    if (kills % 2 === 0) verified.push(await runVerifyTable(db, organization, keys));
  }
  await writers.stop();
  for (const { settle } of receivers.values()) settle('good');
  const refusals = await attacker.stop();

  const left = async () =>
    (
      await db.query<{ held: string; free: string }>(
        `select count(*) filter (where held) as held, count(*) filter (where not held) as free from (
           select exists (select from audit.holds h where h.organization = e.organization and h.released_at is null
             and e.occurred_at >= h.since and e.occurred_at < h.until) as held
           from audit.entries e where event_type not like 'audit_log.%') as e`,
      )
    ).rows[0];
  const describe = async () =>
    JSON.stringify([await left(), (await db.query('select * from audit.retention_progress')).rows]);
  await waitFor(async () => (await left())?.free === '0', { timeoutMs: 90_000, pollMs: 200 }).catch(
    async (error) => {
      throw new Error(`${error.message} ${await describe()} ${first.output().slice(-2_000)}`);
    },
  );
  const heldAtTheEnd = Number((await left())?.held);
  const { rows: gone } = await db.query<Gone>(
    'select uid::text, organization, type, age, held from public.gone',
  );
  const undelivered = gone.filter(({ uid, organization }) =>
    destinations.some(
      (each) => each.organization === organization && !receivers.get(each.name)?.log.has(uid),
    ),
  );
  expect(commits.count).toBeGreaterThan(runSeconds * 5);
  expect(gone.length).toBeGreaterThan(commits.count * 0.5);
  expect({
    young: gone.filter(({ organization, age }) => age < (kept[organization] ?? 0)),
    held: gone.filter(({ held }) => held),
    undelivered,
    gaps: [...receivers.values()].flatMap(({ log }) => log.gaps()),
    changed: [...receivers.values()].flatMap(({ log }) => log.faults),
  }).toEqual({ young: [], held: [], undelivered: [], gaps: [], changed: [] });
  expect(heldAtTheEnd).toBeGreaterThan(10);
  expect(refusals).toBeGreaterThan(runSeconds);
  expect(kills).toBeGreaterThan(runSeconds / 5);

  for (const organization of Object.keys(kept)) verified.push(await runVerifyTable(db, organization, keys));
  // Before its first checkpoint a ledger proves nothing.
  const judged = verified.filter(({ said }) => !/no ledger|no checkpoint yet/.test(said.join()));
  // Until its daily entry, only the database says what retention let go of.
  const isUntold = (said: readonly string[]) =>
    said.some((text) => text.includes('as only the database says'));
  expect(
    judged.filter(({ code, said }) => code !== (isUntold(said) ? exitCodes.partly : exitCodes.proven)),
  ).toEqual([]);
  expect(judged.length).toBeGreaterThan(verified.length / 2);
  const options = {
    db,
    log: makeLogger({ level: 'error' }),
    fingerprinter: new Fingerprinter(),
    share: 1,
    restMs: 0,
    isolation: new Isolation(),
  };
  for (let scrubbed = 0; scrubbed < 3; scrubbed++)
    expect(await scrubNext({ ...options, signal: new AbortController().signal })).toBe(true);
  expect((await db.query('select * from audit.ledger_findings')).rows).toEqual([]);

  await db.query('select audit.release($1)', [holds[0]?.id]);
  await waitFor(async () => (await left())?.held === '0', { timeoutMs: 30_000, pollMs: 200 });
});

/** Calls everything that the collector's role may call, and more, in transactions that stay open, fail or are rolled back. */
function startAttacker(url: string): { stop(): Promise<number> } {
  let isStopping = false;
  const forbidden = [
    'delete from audit.entries',
    `select audit.set_retention('*', '1 microsecond')`,
    'select audit.release(1)',
    `update audit.retention set keep = '1 microsecond'`,
    `update audit.holds set released_at = now(), released_by = 'me'`,
    `update audit.retention_progress set next_look_at = now(), keep = null`,
  ];
  const run = async (): Promise<number> => {
    const session = await openSession(url);
    let refusals = 0;
    for (let turn = 0; !isStopping; turn++) {
      const organization = Object.keys(kept)[turn % 3];
      const isolation = turn % 5 === 4 ? 'repeatable read' : 'read committed';
      await session.query(`begin isolation level ${isolation}; select 1`);
      const ask = [`select * from audit.delete_expired($1, $2)`, [organization, 1 + (turn % 700)]] as const;
      await session.query(ask[0], [...ask[1]]).catch(() => refusals++);
      await delay(turn % 7 === 0 ? 300 : 20);
      await session.query(turn % 3 === 0 ? 'rollback' : 'commit');
      await session.query(forbidden[turn % forbidden.length] ?? '').catch(() => refusals++);
    }
    await session.end();
    return refusals;
  };
  const done = run();
  return {
    stop() {
      isStopping = true;
      return done;
    },
  };
}
