/** A release of the chart on a real node: a namespace with its Secrets, a database and a receiver that its pods reach. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../src/database/pool.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { createRestrictedNamespace } from '../chart/dryRun.ts';
import { chartFolder, type HelmVersion, runHelm } from '../chart/helm.ts';
import { applySecret } from '../kubernetes/harness.ts';
import { openDatabase } from '../tools/database.ts';
import type { Node } from '../tools/node.ts';
import type { TestPostgres } from '../tools/postgres.ts';
import { type Receiver, startReceiver } from '../tools/receiver.ts';
import { makeRole } from '../tools/roles.ts';
import { openTcpProxy } from '../tools/tcpProxy.ts';

export interface Release {
  readonly namespace: string;
  readonly db: Database;
  /** Of its Secret: for the collector's role, and for the owner of the schema. */
  readonly databaseUrls: Readonly<Record<'collector' | 'owner', string>>;
  /** The collector's role. */
  readonly role: string;
  readonly receiver: Receiver;
  /** Of the receiver, as pods reach it. */
  readonly endpoint: string;
  /** Values that connect it to both. */
  readonly values: Readonly<Record<'database' | 'migration' | 'settings', object>>;
  /** @throws Error with what kubectl said. */
  kubectl(args: string, input?: string): Promise<string>;
  /** Runs `helm COMMAND` on the release, and waits for its pods. @throws Error with what Helm, the pods and the node said. */
  helm(command: string, values?: unknown): Promise<string>;
  /** Applies a config, and waits until it is ready. */
  applyConfig(name?: string, spec?: object): Promise<void>;
  /** The URL of a server on this machine's loopback, as pods reach it. */
  reach(url: string): Promise<string>;
  /** Ends the database's sessions, the receiver, and the ways to them; the namespace goes with the node. */
  stop(): Promise<void>;
}

/** Nothing is installed yet. The caller stops it. */
export async function prepareRelease(
  node: Node,
  postgres: TestPostgres,
  {
    namespace = 'audit',
    helmVersion = 'helm',
  }: { readonly namespace?: string; readonly helmVersion?: HelmVersion } = {},
): Promise<Release> {
  const { cluster } = node;
  await createRestrictedNamespace(cluster, JSON.stringify(namespace));
  const home = await mkdtemp(join(tmpdir(), 'audit-export-helm-'));
  const ownerUrl = await postgres.createDatabase();
  const db = openDatabase(ownerUrl);
  const collector = await makeRole(db, ownerUrl);
  const receiver = await startReceiver();
  const stops = [() => rm(home, { recursive: true, force: true }), () => db.end(), () => receiver.stop()];
  const reach = async (url: string) => {
    const moved = new URL(url);
    const proxy = await openTcpProxy(Number(moved.port), node.address);
    stops.push(async () => proxy.close());
    const host = node.address.includes(':') ? `[${node.address}]` : node.address;
    moved.host = `${host}:${proxy.port}`;
    return moved.href;
  };
  const endpoint = await reach(receiver.endpoint);
  const databaseUrls = { collector: await reach(collector.url), owner: await reach(ownerUrl) };
  await applySecret(cluster, namespace, 'audit-database', databaseUrls);
  const kubectl = async (args: string, input = ''): Promise<string> => {
    const result = await cluster.kubectl(['-n', namespace, ...args.split(' ')], { input });
    if (result.exitCode !== 0) throw new Error(`kubectl ${args}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  };
  return {
    namespace,
    db,
    databaseUrls,
    role: collector.role,
    receiver,
    endpoint,
    values: {
      database: { existingSecret: { name: 'audit-database', key: 'collector' } },
      migration: {
        existingSecret: { name: 'audit-database', key: 'owner' },
        collectorRole: collector.role,
      },
      settings: { statusIntervalMs: 1_000, configChangeEntries: 'omit' },
    },
    kubectl,
    async helm(command, values) {
      const [verb = '', ...more] = command.split(' ');
      const chart = ['install', 'upgrade'].includes(verb) ? [chartFolder] : [];
      const wait = verb === 'test' ? [] : ['--wait'];
      const timeout = command.includes('--timeout') ? [] : ['--timeout', '180s'];
      const result = await runHelm(
        [verb, 'trail', ...chart, ...more, '--namespace', namespace, ...wait, ...timeout],
        {
          kubeconfig: cluster.adminKubeconfigPath,
          home,
          helm: helmVersion,
          ...(values !== undefined && { values }),
        },
      );
      if (result.exitCode === 0) return result.stdout;
      const pods = await kubectl('describe pods');
      const logs = await kubectl('logs --prefix -l app.kubernetes.io/name=audit-export').catch(String);
      throw new Error(
        `helm ${command}: ${[result.stderr, result.stdout, pods, logs, node.output()].join('\n')}`,
      );
    },
    async applyConfig(config = 'acme', spec = {}) {
      await kubectl(
        'apply -f -',
        JSON.stringify({
          apiVersion: 'auditexport.dev/v1',
          kind: 'AuditExportConfig',
          metadata: { name: config },
          spec: { organization: 'acme', endpoint, startFrom: 'Beginning', ...spec },
        }),
      );
      let shown = '';
      await waitFor(
        async () => {
          shown = await kubectl(`get aec ${config}`);
          return /NothingSent|Delivering/.test(shown);
        },
        { timeoutMs: 30_000, pollMs: 200, describe: () => shown },
      );
    },
    reach,
    async stop() {
      for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next();
    },
  };
}
