/**
 * The guarantee under fire, with real servers: a primary and a standby that lags, poolers in front of them, four writers,
 * late transactions, receivers that hang and lie, collectors that are killed, a failover that loses the last commits.
 * Afterwards every entry of the table is at its receiver; and at no moment did a status say so before it was true.
 *
 * CHAOS_SECONDS makes it longer; there is a failover every 40 s.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { Commits } from '../tools/chaos/commits.ts';
import type { Failover } from '../tools/chaos/deliveryLog.ts';
import { type Mood, startMoodyReceiver } from '../tools/chaos/moodyReceiver.ts';
import { type WatchedExport, watchTruth } from '../tools/chaos/truthWatcher.ts';
import { startWriters } from '../tools/chaos/writers.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { migrateDatabase, openSession } from '../tools/database.ts';
import { arePackagesMissing } from '../tools/debianPackages.ts';
import { poolerPackages, startPgbouncer, startPgpool } from '../tools/poolers.ts';
import { startPair } from '../tools/standby.ts';
import { startTcpProxy } from '../tools/tcpProxy.ts';

const runSeconds = Number(process.env['CHAOS_SECONDS'] ?? 60);
const secondsBetweenFailovers = 40;
const lagMs = 800;
const graceMs = 10_000;
/** A machine that is busy with tests takes seconds to start a process, which says nothing meanwhile: up to half a minute was seen. */
const longestStartMs = 60_000;

/** Each export has its own receiver, with moods of its own. */
const exports: ReadonlyArray<{ organization: string; through: 'pgpool' | 'pgbouncer'; moods: Mood[] }> = [
  { organization: 'ada', through: 'pgpool', moods: ['good', 'reset', 'error'] },
  { organization: 'bob', through: 'pgpool', moods: ['errorMessage', 'busy', 'hang'] },
  { organization: 'cy', through: 'pgbouncer', moods: ['html', 'reset', 'hang'] },
  { organization: 'dee', through: 'pgbouncer', moods: ['errorMessage', 'error', 'busy'] },
];

describe.skipIf(arePackagesMissing('delivery over failovers and poolers', poolerPackages))(
  'with poolers',
  () => {
    test(`${runSeconds} s of failovers, kills, and receivers that lie: nothing is lost, and no status says what is not so`, {
      timeout: runSeconds * 1_000 + 240_000,
    }, async () => {
      const pair = await startPair({ prepare: migrateDatabase });
      onTestFinished(() => pair.remove());
      const proxy = await startTcpProxy(pair.ports[0]);
      const { password } = pair;
      const poolers = {
        pgpool: await startPgpool({ password, serverPorts: pair.ports }),
        pgbouncer: await startPgbouncer({ password, serverPort: proxy.port }),
      };
      onTestFinished(async () => {
        await Promise.all([poolers.pgpool.stop(), poolers.pgbouncer.stop()]);
      });
      await pair.setLag(lagMs);
      // Where the collector looks for pgpool-II.
      const entrance = await startTcpProxy(poolers.pgpool.port);
      const doors = { pgpool: entrance.port, pgbouncer: poolers.pgbouncer.port };

      const failovers: Failover[] = [];
      const commits = new Commits();
      const startCollector = async (through: 'pgpool' | 'pgbouncer') => {
        const url = `postgres://postgres:${password}@127.0.0.1:${doors[through]}/postgres`;
        return makeCollectorProcess(url, { LOG_LEVEL: 'info', REPLICA_NAME: through });
      };
      const collectors = {
        pgpool: await startCollector('pgpool'),
        pgbouncer: await startCollector('pgbouncer'),
      };
      const startedAt = { pgpool: 0, pgbouncer: 0 };
      const upSince = { pgpool: 0, pgbouncer: 0 };
      const receivers = new Map<string, Awaited<ReturnType<typeof startMoodyReceiver>>>();
      const watched: WatchedExport[] = [];
      for (const [seed, { organization, through, moods }] of exports.entries()) {
        const moody = await startMoodyReceiver({ moods, failovers, seed: seed + 1 });
        onTestFinished(() => moody.receiver.stop());
        receivers.set(organization, moody);
        await collectors[through].writeConfig(organization, {
          organization,
          endpoint: moody.receiver.endpoint,
          startFrom: 'Beginning',
          maxBatchSize: 50,
          timeoutSeconds: 2,
        });
        watched.push({
          name: `${organization} through ${through}`,
          organization,
          log: moody.log,
          upSince: () => upSince[through],
          readStatus: () => collectors[through].readStatus(organization),
        });
      }
      // As a kubelet does with whatever ends, killed or by itself.
      const keeper = setInterval(() => {
        for (const through of ['pgpool', 'pgbouncer'] as const) {
          const collector = collectors[through];
          if (!collector.isRunning) {
            collector.start();
            // One that ends again and again is late as a whole.
            if (upSince[through] !== Number.POSITIVE_INFINITY) startedAt[through] = performance.now();
            upSince[through] = Number.POSITIVE_INFINITY;
          } else if (upSince[through] === Number.POSITIVE_INFINITY) {
            const isLate = performance.now() - startedAt[through] > longestStartMs;
            void isAlive(collector.operations).then((isUp) => {
              if (isUp || isLate) upSince[through] = Math.min(upSince[through], performance.now());
            });
          }
        }
      }, 200);
      onTestFinished(() => clearInterval(keeper));
      const watcher = watchTruth({
        exports: watched,
        commits,
        graceMs,
        describe: ({ organization }) =>
          `mood ${receivers.get(organization)?.mood}, ${failovers.length} failovers so far`,
      });
      const writers = startWriters({
        url: () => pair.primaryUrl,
        organizations: exports.map((each) => each.organization),
        count: 4,
        commits,
      });

      /** Everything committed for about a second is lost. */
      const failOver = async (): Promise<void> => {
        const begunAt = performance.now();
        commits.doubt();
        await pair.cutReplication();
        const until = commits.count + 50;
        await waitFor(() => commits.count > until);
        await pair.failOver();
        proxy.retarget(Number(new URL(pair.primaryUrl).port));
        failovers.push({ begunAt, endedAt: performance.now() });
        const lost = commits.keepOnly(await uidsInTable(pair.primaryUrl));
        expect(lost).toBeGreaterThan(0);
        await pair.rebuildStandby();
        await poolers.pgpool.attach(Number(new URL(pair.standbyUrl).port) === pair.ports[0] ? 0 : 1);
        await pair.setLag(lagMs);
      };

      // The pace of kills and failovers is the test's own doing, not a wait for something.
      const endsAt = performance.now() + runSeconds * 1_000;
      let nextFailoverAt = performance.now() + (secondsBetweenFailovers / 2) * 1_000;
      for (let turn = 0; performance.now() < endsAt; turn++) {
        await delay(3_000 + Math.random() * 4_000);
        if (performance.now() > nextFailoverAt) {
          nextFailoverAt += secondsBetweenFailovers * 1_000;
          await failOver();
          continue;
        }
        const collector = turn % 2 === 0 ? collectors.pgpool : collectors.pgbouncer;
        await collector.kill('SIGKILL');
      }
      await writers.stop();
      for (const { settle } of receivers.values()) settle('good');
      // A collector may refuse a pooler that reads from standbys, if it says so. With that one gone it must have lost nothing.
      entrance.retarget(poolers.pgbouncer.port);

      const lost = new Map<string, number>();
      const table = new Map<string, Set<string>>();
      for (const { organization } of exports)
        table.set(organization, await uidsInTable(pair.primaryUrl, organization));
      const missing = (organization: string): number =>
        [...(table.get(organization) ?? [])].filter((uid) => !receivers.get(organization)?.log.has(uid))
          .length;
      await waitFor(() => exports.every(({ organization }) => missing(organization) === 0), {
        timeoutMs: 60_000,
      }).catch(() => {
        for (const { organization } of exports)
          if (missing(organization) > 0) lost.set(organization, missing(organization));
      });
      // Nor may it never say so.
      const silent: string[] = [];
      for (const { organization, through } of exports) {
        await collectors[through]
          .waitForStatus(
            organization,
            (status) => status.conditions[0]?.status === 'True' && status.pendingEntries === 0,
            15_000,
          )
          .catch(async () =>
            silent.push(
              `${organization}: ${JSON.stringify(await collectors[through].readStatus(organization))}; the log ends with ${collectors[through].output().slice(-1_500)}`,
            ),
          );
      }
      await watcher.stop();

      const logs = [...receivers].map(([organization, { log }]) => ({ organization, log }));
      expect(commits.count).toBeGreaterThan(runSeconds * 10);
      expect(watcher.checks).toBeGreaterThan(runSeconds);
      expect({
        lost: [...lost].map(
          ([organization, count]) => `${organization}: ${count} of ${table.get(organization)?.size} entries`,
        ),
        gaps: firstFew(
          logs.flatMap(({ organization, log }) => log.gaps().map((gap) => `${organization} ${gap}`)),
        ),
        changed: firstFew(
          logs.flatMap(({ organization, log }) => log.faults.map((fault) => `${organization} ${fault}`)),
        ),
        invented: firstFew(
          logs.flatMap(({ organization, log }) => log.unexplained(table.get(organization) ?? new Set())),
        ),
        lies: watcher.lies(),
        silent,
      }).toEqual({ lost: [], gaps: [], changed: [], invented: [], lies: [], silent: [] });
    });
  },
);

async function isAlive(operations: string): Promise<boolean> {
  const response = await fetch(`${operations}/livez`).catch(() => null);
  return response?.ok === true;
}

/** A failure names some, and says how many there are. */
function firstFew(problems: readonly string[]): string[] {
  return problems.length <= 5 ? [...problems] : [...problems.slice(0, 5), `${problems.length} in all`];
}

async function uidsInTable(url: string, organization: string | null = null): Promise<Set<string>> {
  const session = await openSession(url);
  const { rows } = await session.query<{ uid: string }>(
    'select uid::text from audit.entries where $1::text is null or organization = $1',
    [organization],
  );
  await session.end();
  return new Set(rows.map((row) => row.uid));
}
