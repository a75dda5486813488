/** A release of the chart on a real node: a namespace with its Secret, a database and a receiver that its pods reach. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { createRestrictedNamespace } from '../chart/dryRun.ts';
import { chartFolder, runHelm } from '../chart/helm.ts';
import { applySecret } from '../kubernetes/harness.ts';
import { openDatabase } from '../tools/database.ts';
import type { Node } from '../tools/node.ts';
import type { TestPostgres } from '../tools/postgres.ts';
import { type Receiver, startReceiver } from '../tools/receiver.ts';
import { makeRole } from '../tools/roles.ts';
import { startTcpProxy } from '../tools/tcpProxy.ts';

export interface Release {
  readonly db: Database;
  readonly receiver: Receiver;
  /** Values that connect it to both. */
  readonly values: Readonly<Record<'database' | 'migration' | 'settings', object>>;
  /** @throws Error with what kubectl said. */
  kubectl(args: string, input?: string): Promise<string>;
  /** Runs `helm COMMAND trail` and waits for its pods. @throws Error with what Helm, the pods and the node said. */
  helm(command: 'install' | 'upgrade' | 'uninstall', values?: unknown): Promise<void>;
  /** Applies a config of the organization `acme`, and waits until it is ready. */
  applyConfig(): Promise<void>;
}

/** Taken away with the test, but for the namespace. */
export async function prepareRelease(node: Node, postgres: TestPostgres): Promise<Release> {
  const { cluster } = node;
  const namespace = await createRestrictedNamespace(cluster, 'audit');
  const home = await mkdtemp(join(tmpdir(), 'audit-export-helm-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const ownerUrl = await postgres.createDatabase();
  const db = openDatabase(ownerUrl);
  onTestFinished(() => db.end());
  const collectorRole = await makeRole(db, ownerUrl);
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const endpoint = await reachableUrl(node, receiver.endpoint);
  await applySecret(cluster, namespace, 'audit-database', {
    collector: await reachableUrl(node, collectorRole.url),
    owner: await reachableUrl(node, ownerUrl),
  });
  const kubectl = async (args: string, input = ''): Promise<string> => {
    const result = await cluster.kubectl([...args.split(' '), '-n', namespace], { input });
    if (result.exitCode !== 0) throw new Error(`kubectl ${args}: ${result.stderr}`);
    return result.stdout;
  };
  return {
    db,
    receiver,
    values: {
      database: { existingSecret: { name: 'audit-database', key: 'collector' } },
      migration: {
        existingSecret: { name: 'audit-database', key: 'owner' },
        collectorRole: collectorRole.role,
      },
      settings: { statusIntervalMs: 1_000, configChangeEntries: 'omit' },
    },
    kubectl,
    async helm(command, values) {
      const chart = command === 'uninstall' ? [] : [chartFolder];
      const result = await runHelm(
        [command, 'trail', ...chart, '--namespace', namespace, '--wait', '--timeout', '100s'],
        { kubeconfig: cluster.adminKubeconfigPath, home, ...(values !== undefined && { values }) },
      );
      if (result.exitCode === 0) return;
      const pods = await kubectl('describe pods');
      const logs = await kubectl('logs --prefix -l app.kubernetes.io/name=audit-export').catch(String);
      throw new Error(`helm ${command}: ${[result.stderr, pods, logs, node.output()].join('\n')}`);
    },
    async applyConfig() {
      await kubectl(
        'apply -f -',
        `apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata: {name: acme}
spec: {organization: acme, endpoint: "${endpoint}", startFrom: Beginning}
`,
      );
      let shown = '';
      await waitFor(
        async () => {
          shown = await kubectl('get aec');
          return /NothingSent|Delivering/.test(shown);
        },
        { timeoutMs: 30_000, describe: () => shown },
      );
    },
  };
}

/** The URL of a server on this machine's loopback, as pods reach it. */
export async function reachableUrl(node: Node, url: string): Promise<string> {
  const moved = new URL(url);
  const proxy = await startTcpProxy(Number(moved.port), node.address);
  moved.host = node.address.includes(':')
    ? `[${node.address}]:${proxy.port}`
    : `${node.address}:${proxy.port}`;
  return moved.href;
}
