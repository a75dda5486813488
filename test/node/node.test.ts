/** The node itself, in a network without IPv4: what pods may do on it, whether the chart gets ready, and what stays. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { createRestrictedNamespace } from '../chart/dryRun.ts';
import { toolTimeoutMs } from '../tools/build.ts';
import { insertEntries, numbered } from '../tools/database.ts';
import { isNodeMissing, type Node, startNode } from '../tools/node.ts';
import { usePostgres } from '../tools/postgres.ts';
import { prepareRelease, reachableUrl } from './release.ts';
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
    const namespace = await createRestrictedNamespace(cluster, 'any-user');
    const url = await reachableUrl(node, await postgres.createDatabase());
    const facts = `const { readFileSync, writeFileSync } = require('node:fs');
      const status = readFileSync('/proc/self/status', 'utf8');
      let write = 'written';
      try { writeFileSync('/app/new', ''); } catch (error) { write = error.code; }
      console.log(JSON.stringify([process.getuid(), process.getgid(), write, ...status.match(/^Cap.*/gm)]));`;
    await cluster.apply(
      [
        anyUserPod(namespace, 'facts', ['-e', facts]),
        anyUserPod(namespace, 'migrate', ['cmd/migrate.ts'], { DATABASE_URL: url }),
      ].join('\n---\n'),
    );
    const kubectl = async (args: string) =>
      (await cluster.kubectl([...args.split(' '), '-n', namespace])).stdout;
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
    await release.helm('install', release.values);
    await release.applyConfig();
    await insertEntries(release.db, numbered(3));
    await release.receiver.waitFor((receiver) => receiver.ledger.storedCount === 3, 30_000);
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
