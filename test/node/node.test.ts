/** The node itself, in a network without IPv4: what pods may do on it, whether the chart gets ready, and what stays. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { toolTimeoutMs } from '../tools/build.ts';
import { insertEntries, numbered } from '../tools/database.ts';
import { isNodeMissing, type Node, startNode } from '../tools/node.ts';
import { usePostgres } from '../tools/postgres.ts';
import { expectWhole } from './product.ts';
import { prepareRelease } from './release.ts';
import { job, prepareSidecar, service } from './sidecar.ts';
import { countOwnTraces, networkOf, readSharedTraces } from './traces.ts';

describe.skipIf(isNodeMissing())('a node without IPv4', () => {
  const postgres = usePostgres();
  let before: Record<string, string>;
  let node: Node;
  beforeAll(async () => {
    before = await readSharedTraces();
    node = await startNode('IPv6');
  }, toolTimeoutMs);
  afterAll(() => node?.stop());

  test('runs the image as any user, with no capability, on files that nobody can write', {
    timeout: 60_000,
  }, async () => {
    const { cluster } = node;
    const { namespace, kubectl, databaseUrls, stop } = await prepareRelease(node, postgres, {
      namespace: 'any-user',
    });
    onTestFinished(stop);
    const facts = `const { readFileSync, writeFileSync } = require('node:fs');
      const status = readFileSync('/proc/self/status', 'utf8');
      let write = 'written';
      try { writeFileSync('/app/new', ''); } catch (error) { write = error.code; }
      console.log(JSON.stringify([process.getuid(), process.getgid(), write, ...status.match(/^Cap.*/gm)]));`;
    await cluster.apply(
      [
        anyUserPod(namespace, 'facts', ['-e', facts]),
        anyUserPod(namespace, 'migrate', ['cmd/migrate.ts'], { DATABASE_URL: databaseUrls.owner }),
      ].join('\n---\n'),
    );
    const phases = 'get pods -o jsonpath={.items[*].status.phase}';
    await waitFor(async () => /^(Succeeded|Failed) (Succeeded|Failed)$/.test(await kubectl(phases)), {
      timeoutMs: 45_000,
      describe: node.output,
    });
    const capabilities = ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'].map((set) => `Cap${set}:\t0000000000000000`);
    expect(JSON.parse(await kubectl('logs facts'))).toEqual([anyUser, anyUser, 'EROFS', ...capabilities]);
    expect(await kubectl('logs migrate')).toContain('Applied 0001_audit.sql');
    expect(await kubectl(phases)).toBe('Succeeded Succeeded');
  });

  test('gets a release ready, and delivers', { timeout: 150_000 }, async () => {
    const release = await prepareRelease(node, postgres);
    onTestFinished(release.stop);
    await release.helm('install', release.values);
    await release.applyConfig();
    await insertEntries(release.db, numbered(3));
    await release.receiver.waitFor((receiver) => receiver.ledger.storedCount === 3, 30_000);
    expect(release.receiver.ledger.missingSequences()).toEqual([]);
  });

  test('runs the example of a sidecar: every entry of the product is sent, from its first one to its last words', {
    timeout: 300_000,
  }, async () => {
    const release = await prepareRelease(node, postgres, { namespace: 'product' });
    onTestFinished(release.stop);
    const { kubectl, receiver, db } = release;
    const { deployment } = await prepareSidecar(node, release, service);
    await kubectl('apply -f -', JSON.stringify(deployment));
    await kubectl('rollout status deployment/product --timeout=120s');
    const count = async (said: string) => {
      const text = `select count(*)::int as n from audit.entries where metadata ->> 'said' = $1`;
      return (await db.query<{ n: number }>(text, [said])).rows[0]?.n;
    };
    await waitFor(async () => (await count('first')) === 2 && receiver.ledger.storedCount > 20, {
      timeoutMs: 90_000,
    });
    expect(receiver.requests[0]?.headers.authorization).toBe('Bearer s3cr3t');

    // The product is stopped first; its sidecar sends what it wrote while it stopped, and no other collector is left.
    await kubectl('scale deployment/product --replicas=0');
    await waitFor(async () => (await kubectl('get pods -o name')) === '', { timeoutMs: 60_000, pollMs: 200 });
    expect(await count('last')).toBe(60);
    expect((await expectWhole(release)).repeats).toBe(0);
  });

  test('lets a Job with the sidecar complete, and the next collector sends what is left of it', {
    timeout: 180_000,
  }, async () => {
    const release = await prepareRelease(node, postgres, { namespace: 'jobs' });
    onTestFinished(release.stop);
    const { kubectl } = release;
    const { pod } = await prepareSidecar(node, release, job);
    const written: string[][] = [];
    for (const name of ['one', 'two']) {
      await kubectl(
        'apply -f -',
        JSON.stringify({
          apiVersion: 'batch/v1',
          kind: 'Job',
          metadata: { name },
          spec: { backoffLimit: 0, template: { spec: { ...pod, restartPolicy: 'Never' } } },
        }),
      );
      let job = '';
      await waitFor(
        async () => {
          job = await kubectl(`get job ${name} -o jsonpath={.status}`);
          if (job.includes('"Failed"')) throw new Error(await kubectl(`logs job/${name} --all-containers`));
          return job.includes('"Complete"');
        },
        // Less than the grace period of 60 s: a sidecar that is still loading hears that it is to stop.
        { timeoutMs: 50_000, pollMs: 200, describe: () => job },
      );
      const { rows } = await release.db.query<{ uid: string }>(
        "select uid::text from audit.entries where metadata ->> 'said' = 'job'",
      );
      written.push(rows.map(({ uid }) => uid));
    }
    const [first = [], both = []] = written;
    expect([first.length, both.length]).toEqual([40, 80]);
    // A sidecar that is stopped before it has begun sends nothing: the collector that comes next does.
    const [container] = pod.containers;
    const waiting = { ...container, args: ['--eval', 'setInterval(() => {}, 1000)'] };
    const next = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'next' },
      spec: { ...pod, containers: [waiting] },
    };
    await kubectl('apply -f -', JSON.stringify(next));
    await release.receiver.waitFor(({ ledger }) => {
      const stored = new Set(ledger.storedUids());
      return both.every((uid) => stored.has(uid));
    }, 60_000);
    expect(release.receiver.ledger.missingSequences()).toEqual([]);
  });

  test('is ended by one kill, and nothing of it stays', { timeout: 60_000 }, async () => {
    const { namespaces } = node;
    const network = await networkOf(namespaces.pid);
    const running = await countOwnTraces(namespaces, network);
    expect(running.interfaces).toBe(1);
    expect(running.cgroups).toBeGreaterThan(0);
    expect(running.processes).toBeGreaterThan(5);
    process.kill(namespaces.pid, 'SIGKILL');
    let left: object = running;
    await waitFor(
      async () => {
        const counts = await countOwnTraces(namespaces, network);
        left = counts;
        return Object.values(counts).every((count) => count === 0);
      },
      { timeoutMs: 30_000, describe: () => JSON.stringify(left) },
    );
    expect(await readSharedTraces()).toEqual(before);
  });
});

const anyUser = 1_000_680_000;

function anyUserPod(
  namespace: string,
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      restartPolicy: 'Never',
      securityContext: {
        runAsUser: anyUser,
        runAsGroup: anyUser,
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'image',
          image: 'audit-export:0.1.0',
          args,
          env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
          securityContext: {
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  });
}
