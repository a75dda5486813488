/**
 * A release at work in real pods, and everything that happens to it in a cluster. A product writes all the time; after each
 * trouble every entry has arrived at each destination, the numbers have no gap, nothing came twice unless a process was
 * killed, and no status ever claimed what was not true.
 */
import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { applySecret, secretHeader } from '../kubernetes/harness.ts';
import { provideTool, toolTimeoutMs } from '../tools/build.ts';
import { isNodeMissing, type Node, startNode } from '../tools/node.ts';
import { usePostgres } from '../tools/postgres.ts';
import { watchCluster } from '../tools/watchedExports.ts';
import { expectWhole, startProduct } from './product.ts';
import { prepareRelease, type Release } from './release.ts';

const collectors = 'app.kubernetes.io/component=collector';
const deployment = 'deployment/trail-audit-export';
const entriesPerSecond = 60;
const pollMs = 100;

describe.skipIf(isNodeMissing())('a release at work', () => {
  const postgres = usePostgres();
  let node: Node;
  let release: Release;
  let repeatsBefore = 0;

  beforeAll(async () => {
    await provideTool('helm');
    node = await startNode();
    release = await prepareRelease(node, postgres);
    await release.helm('install', release.values);
    await applySecret(node.cluster, release.namespace, 'siem', { token: 'first' });
    await release.applyConfig('acme', secretHeader('siem'));
    await release.applyConfig('acme-archive');
    await release.applyConfig('globex', { organization: 'globex' });
  }, toolTimeoutMs);
  afterAll(async () => {
    await release?.stop();
    await node?.stop();
  });

  /** Writes during the trouble; a lie of a status meanwhile, or a lost entry, fails the test. */
  const duringTrouble = async (
    trouble: (release: Release) => Promise<unknown>,
    { isKill = false }: { readonly isKill?: boolean } = {},
  ): Promise<void> => {
    // Nobody speaks for a process that was killed until its lease has ended, after 10 s.
    watchCluster(node.cluster, release.namespace, release, isKill ? { graceMs: 20_000 } : {});
    const product = startProduct(release.db, entriesPerSecond, ['acme', 'globex']);
    try {
      await trouble(release);
    } finally {
      await product.stop();
    }
    const { entries, repeats } = await expectWhole(release);
    process.stderr.write(`node: ${entries} deliveries, ${repeats - repeatsBefore} repeats\n`);
    if (!isKill) expect(repeats).toBe(repeatsBefore);
    repeatsBefore = repeats;
  };

  const listPods = async (): Promise<PodState[]> => {
    const path = `/api/v1/namespaces/${release.namespace}/pods?labelSelector=${collectors}`;
    const { body } = await node.cluster.request({ path });
    return (body['items'] as PodObject[]).map(({ metadata, status }) => ({
      name: metadata.name,
      uid: metadata.uid,
      isLeaving: metadata.deletionTimestamp !== undefined,
      isReady: status.containerStatuses?.every(({ ready }) => ready) ?? false,
      restarts: status.containerStatuses?.[0]?.restartCount ?? 0,
    }));
  };

  /** Waits until exactly these many pods are there and ready. */
  const waitForReady = async (count = 2, timeoutMs = 120_000): Promise<PodState[]> => {
    let found: PodState[] = [];
    await waitFor(
      async () => {
        found = await listPods();
        return found.length === count && found.every(({ isReady, isLeaving }) => isReady && !isLeaving);
      },
      { timeoutMs, pollMs, describe: () => JSON.stringify(found) },
    );
    return found;
  };

  /** A pod that sends something now. */
  const findHolder = async (): Promise<PodState> => {
    const name = await waitFor(async () => {
      const { rows } = await release.db.query<{ name: string }>(
        'select r.name from audit.streams s join audit.replicas r on r.id = s.holder order by s.id limit 1',
      );
      return rows[0]?.name;
    });
    const holder = (await listPods()).find((pod) => pod.name === name);
    if (holder === undefined) throw new Error(`${name} is no pod.`);
    return holder;
  };

  const waitForOtherHolder = (than: PodState): Promise<unknown> =>
    waitFor(
      async () => {
        const { rows } = await release.db.query<{ name: string }>(
          'select distinct r.name from audit.streams s left join audit.replicas r on r.id = s.holder',
        );
        return rows.length > 0 && rows.every(({ name }) => name !== null && name !== than.name);
      },
      { timeoutMs: 30_000, pollMs },
    );

  const waitForRestart = async ({ uid, restarts }: PodState, timeoutMs: number): Promise<void> => {
    await waitFor(async () => (await listPods()).some((pod) => pod.uid === uid && pod.restarts > restarts), {
      timeoutMs,
      pollMs,
    });
    await waitForReady();
  };

  const signal = async ({ uid }: PodState, name: NodeJS.Signals): Promise<void> => {
    const pids = await collectorsOf(node, uid);
    expect(pids).toHaveLength(1);
    for (const pid of pids) process.kill(pid, name);
  };

  test('helm test finds it by the name of its Service', { timeout: 240_000 }, () =>
    duringTrouble(async ({ helm }) => {
      expect(await helm('test --logs')).toContain('It is ready, and shows its metrics.');
    }),
  );

  test('a pod is deleted', { timeout: 240_000 }, () =>
    duringTrouble(async ({ kubectl }) => {
      await kubectl(`delete pod ${(await findHolder()).name}`);
      await waitForReady();
    }),
  );

  test('a pod is deleted by force', { timeout: 240_000 }, () =>
    duringTrouble(
      async ({ kubectl }) => {
        const holder = await findHolder();
        await kubectl(`delete pod ${holder.name} --force --grace-period=0`);
        await waitForOtherHolder(holder);
        await waitForReady();
      },
      { isKill: true },
    ),
  );

  test('the Deployment is restarted', { timeout: 300_000 }, () =>
    duringTrouble(async ({ kubectl }) => {
      const before = await listPods();
      await kubectl(`rollout restart ${deployment}`);
      await kubectl(`rollout status ${deployment} --timeout=120s`);
      const after = await waitForReady();
      expect(after.filter(({ uid }) => before.some((each) => each.uid === uid))).toEqual([]);
    }),
  );

  test('its process is killed', { timeout: 240_000 }, () =>
    duringTrouble(
      async () => {
        const holder = await findHolder();
        await signal(holder, 'SIGKILL');
        await waitForRestart(holder, 30_000);
      },
      { isKill: true },
    ),
  );

  test(
    'its process hangs: the other pod takes over, and the kubelet starts it again',
    {
      timeout: 300_000,
    },
    () =>
      duringTrouble(
        async () => {
          const holder = await findHolder();
          await signal(holder, 'SIGSTOP');
          await waitForOtherHolder(holder);
          await waitForRestart(holder, 120_000);
        },
        { isKill: true },
      ),
  );

  test(
    'Postgres is away: no pod is restarted, and both are ready again by themselves',
    {
      timeout: 240_000,
    },
    () =>
      duringTrouble(async () => {
        const before = await waitForReady();
        await postgres.server.stop('fast');
        await waitFor(async () => (await listPods()).every(({ isReady }) => !isReady), {
          timeoutMs: 60_000,
          pollMs,
        });
        await postgres.server.restart();
        expect(await waitForReady()).toEqual(before);
      }),
  );

  test('the API server is away: entries are delivered all the same', { timeout: 240_000 }, () =>
    duringTrouble(async () => {
      const before = await waitForReady();
      await node.cluster.stopApiServer();
      const { entries } = await expectWhole(release);
      await waitFor(async () => (await expectWhole(release)).entries > entries + 100, {
        timeoutMs: 30_000,
        pollMs,
      });
      await node.cluster.startApiServer();
      expect(await waitForReady()).toEqual(before);
    }),
  );

  test('the Secret of a receiver is rotated', { timeout: 240_000 }, () =>
    duringTrouble(async ({ receiver, namespace }) => {
      let tokens = ['first'];
      const seen = new Set<string>();
      receiver.answerWith(({ headers }) => {
        const token = headers['x-token'];
        if (typeof token !== 'string') return { status: 200 };
        seen.add(token);
        return { status: tokens.includes(token) ? 200 : 401 };
      });
      await waitFor(() => seen.has('first'));
      tokens = ['second'];
      await waitFor(async () => (await release.kubectl('get aec acme')).includes('Unauthorized'), {
        timeoutMs: 30_000,
        pollMs,
      });
      await applySecret(node.cluster, namespace, 'siem', { token: 'second' });
      await waitFor(() => seen.has('second'));
      await waitFor(async () => (await release.kubectl('get aec acme')).includes('Delivering'), {
        timeoutMs: 30_000,
        pollMs,
      });
    }),
  );

  test("the database's password is rotated", { timeout: 240_000 }, () =>
    duringTrouble(async ({ db, role, namespace, databaseUrls }) => {
      const before = await waitForReady();
      const password = 'new: p@ss/word?';
      await db.query(`alter role "${role}" password '${password}'`);
      const url = new URL(databaseUrls.collector);
      url.password = encodeURIComponent(password);
      await applySecret(node.cluster, namespace, 'audit-database', { ...databaseUrls, collector: url.href });
      // The kubelet brings it into the pods.
      const file = '/etc/audit-export/database/url';
      for (const { name } of before) {
        await waitFor(async () => (await release.kubectl(`exec ${name} -- cat ${file}`)) === url.href, {
          timeoutMs: 60_000,
        });
      }
      await db.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [role]);
      expect(await waitForReady()).toEqual(before);
    }),
  );

  test(
    'the node is drained: one pod at a time leaves it, and none before another one can be had',
    {
      timeout: 240_000,
    },
    () =>
      duringTrouble(async ({ kubectl }) => {
        const before = await waitForReady();
        let said = '';
        const drained = kubectl(`drain node1 --pod-selector=${collectors} --timeout=90s`).then((output) => {
          said = output;
        });
        // The budget keeps the other one at work.
        await waitFor(
          async () => {
            const now = await listPods();
            const left = now.filter(({ uid }) => before.some((each) => each.uid === uid));
            return now.length === 2 && left.length === 1 && left[0]?.isReady && !left[0].isLeaving;
          },
          { timeoutMs: 60_000, pollMs },
        );
        await kubectl('uncordon node1');
        await drained;
        expect(said).toContain('drained');
        const after = await waitForReady();
        expect(after.filter(({ uid }) => before.some((each) => each.uid === uid))).toEqual([]);
      }),
  );

  test(
    'an upgrade cannot be had, and is rolled back: the pods at work are left alone',
    {
      timeout: 300_000,
    },
    () =>
      duringTrouble(async ({ helm, kubectl, values }) => {
        const before = await waitForReady();
        const wrong = { ...values, image: { tag: 'nowhere' }, migration: { mode: 'none' } };
        await expect(helm('upgrade --timeout=10s', wrong)).rejects.toThrow(
          /nowhere|deadline|not ready|timed out/,
        );
        const still = (await listPods()).filter(({ isReady }) => isReady);
        expect(still).toEqual(before);
        await helm('rollback');
        await waitForReady();
        expect(await kubectl('get jobs -o name')).toBe('');
      }),
  );

  test('large entries within the limit of memory', { timeout: 240_000 }, () =>
    duringTrouble(async ({ db, helm, values }) => {
      const small = { requests: { memory: '256Mi' }, limits: { memory: '256Mi', cpu: '500m' } };
      await helm('upgrade', { ...values, resources: small });
      await waitForReady();
      await db.query(
        `insert into audit.entries (organization, event_type, metadata)
         select 'acme', 'flow.created', jsonb_build_object('text', repeat(md5(n::text), 13 * 32768))
         from generate_series(1, 6) n`,
      );
      await expectWhole(release);
      expect((await waitForReady()).map(({ restarts }) => restarts)).toEqual([0, 0]);
    }),
  );

  test('it is uninstalled, and installed again', { timeout: 300_000 }, async () => {
    // Without a watcher: statuses stay as they were while nobody is there to write them.
    const { db, helm, kubectl, values } = release;
    const product = startProduct(db, entriesPerSecond, ['acme', 'globex']);
    await helm('uninstall');
    await waitFor(async () => (await kubectl('get pods -o name')) === '', { timeoutMs: 60_000, pollMs });
    await helm('install', values);
    await waitForReady();
    await product.stop();
    expect((await expectWhole(release)).repeats).toBe(repeatsBefore);
  });
});

interface PodState {
  readonly name: string;
  readonly uid: string;
  readonly isLeaving: boolean;
  readonly isReady: boolean;
  readonly restarts: number;
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly containerStatuses?: ReadonlyArray<{ readonly ready: boolean; readonly restartCount: number }>;
  };
}

/** As this machine numbers them. */
async function collectorsOf(node: Node, podUid: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [cgroup, command] = await Promise.all(
      ['cgroup', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    const isOfPod = cgroup?.includes(node.namespaces.cgroup) && cgroup.includes(podUid);
    if (isOfPod && command?.includes('cmd/collector.ts')) found.push(Number(pid));
  }
  return found;
}
