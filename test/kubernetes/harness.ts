/** What the tests of the cluster source start from: a namespace, an account with the rights of the collector, a running source. */
import { writeFile } from 'node:fs/promises';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { ConfigSource, ConfigState } from '../../src/configs/configSource.ts';
import type { ClusterLimits, ClusterRules } from '../../src/configs/kubernetes/clusterRules.ts';
import { KubernetesSource, loadConnection } from '../../src/configs/kubernetes/index.ts';
import type { KubernetesSourceOptions } from '../../src/configs/kubernetes/kubernetesSource.ts';
import type { ExportStatus } from '../../src/model/streamStatus.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { waitFor } from '../../tools/waitFor.ts';
import type { Cluster } from '../tools/cluster.ts';
import { allowCollector } from './rights.ts';

export const crd = new URL('../../crds/auditexportconfigs.auditexport.dev.yaml', import.meta.url).pathname;
const configsPath = '/apis/auditexport.dev/v1';

export interface TestSource {
  readonly source: ConfigSource;
  readonly namespace: string;
  readonly kubeconfig: string;
  /** As reported last; undefined before the first. */
  readonly states: () => ReadonlyMap<string, ConfigState> | undefined;
  readonly reports: () => number;
  readonly logs: () => readonly Record<string, unknown>[];
  readonly metrics: () => Promise<string>;
  /** Resolves when the state of the config of that name meets the condition. */
  waitForState(
    name: string,
    condition: (state: ConfigState) => boolean,
    timeoutMs?: number,
  ): Promise<ConfigState>;
}

export interface SourceOptions extends Partial<Pick<KubernetesSourceOptions, 'timing' | 'retry'>> {
  /** Of an earlier source. Default: a new one. */
  readonly namespace?: string;
  readonly kubeconfig?: string;
  /** Watch all namespaces. */
  readonly everywhere?: boolean;
  /** false: what the source meets at its start keeps it from reading. Default: it reads. */
  readonly isReading?: boolean;
  /** Others than the defaults. */
  readonly rules?: Partial<Omit<ClusterRules, 'limits'>> & { readonly limits?: Partial<ClusterLimits> };
}

/** Short waits, so that a recovery is a matter of a second. */
const quickRetry = { initialMs: 50, maxMs: 500 };

export async function startSource(cluster: Cluster, options: SourceOptions = {}): Promise<TestSource> {
  const namespace = options.namespace ?? (await cluster.createNamespace());
  const kubeconfig =
    options.kubeconfig ?? (await collectorKubeconfig(cluster, namespace, options.everywhere));
  const loaded = loadConnection(kubeconfig);
  if (loaded.kind !== 'loaded') throw new Error(JSON.stringify(loaded));
  const logs: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logs.push(JSON.parse(line)) });
  const metrics = makeMetrics({ version: 'test' });
  const source = new KubernetesSource({
    connection: loaded.connection,
    namespace: options.everywhere ? null : namespace,
    log,
    metrics: metrics.kubernetes,
    userAgent: 'audit-export/test',
    instance: 'test',
    rules: {
      labels: {},
      secrets: { consent: 'warn', own: [] },
      organizations: {},
      ...options.rules,
      limits: {
        configsPerNamespace: 1_000,
        secretsPerNamespace: 1_000,
        secretsPerConfig: 16,
        ...options.rules?.limits,
      },
    },
    retry: options.retry ?? quickRetry,
    ...(options.timing && { timing: options.timing }),
  });
  onTestFinished(() => source.stop());
  let states: ReadonlyMap<string, ConfigState> | undefined;
  let reports = 0;
  await source.start((next) => {
    states = next;
    reports++;
  });
  // A role may take a moment to be in force.
  if (options.isReading !== false) await waitFor(() => reports > 0, { describe: () => JSON.stringify(logs) });
  return {
    source,
    namespace,
    kubeconfig,
    states: () => states,
    reports: () => reports,
    logs: () => logs,
    metrics: () => metrics.render(),
    waitForState: (name, condition, timeoutMs = 15_000) =>
      waitFor(
        () => {
          const state = [...(states?.values() ?? [])].find((each) => nameOf(each) === name);
          return state !== undefined && condition(state) ? state : undefined;
        },
        { timeoutMs, describe: () => JSON.stringify([[...(states?.values() ?? [])], logs], null, 1) },
      ),
  };
}

export async function collectorKubeconfig(
  cluster: Cluster,
  namespace: string,
  everywhere = false,
): Promise<string> {
  await allowCollector(cluster, namespace, everywhere);
  return cluster.kubeconfigFor(await cluster.tokenFor('collector', namespace), namespace);
}

export function nameOf(state: ConfigState): string {
  return state.kind === 'valid' ? state.config.name : state.name;
}

export function makeSpec(spec: Record<string, unknown> = {}): Record<string, unknown> {
  return { organization: 'acme', endpoint: 'https://otel.example.com', ...spec };
}

/** A header from the key `token` of the Secret. */
export function secretHeader(secret: string, key = 'token'): Record<string, unknown> {
  return { headers: [{ name: 'X-Token', valueFrom: { secretKeyRef: { name: secret, key } } }] };
}

/** Server-side applies the config; returns its uid. */
export async function applyConfig(
  cluster: Cluster,
  namespace: string,
  name: string,
  spec: Record<string, unknown> = makeSpec(),
  metadata: Record<string, unknown> = {},
): Promise<string> {
  const answer = await cluster.request({
    method: 'PATCH',
    path: `${configsPath}/namespaces/${namespace}/auditexportconfigs/${name}?fieldManager=tests&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: {
      apiVersion: 'auditexport.dev/v1',
      kind: 'AuditExportConfig',
      metadata: { name, namespace, ...metadata },
      spec,
    },
  });
  if (answer.status > 201) throw new Error(JSON.stringify(answer.body));
  return (answer.body['metadata'] as { uid: string }).uid;
}

export async function deleteConfig(cluster: Cluster, namespace: string, name: string): Promise<void> {
  await cluster.request({
    method: 'DELETE',
    path: `${configsPath}/namespaces/${namespace}/auditexportconfigs/${name}`,
  });
}

export async function readConfig(
  cluster: Cluster,
  namespace: string,
  name: string,
): Promise<{ metadata: Record<string, unknown>; status?: ExportStatus }> {
  const { body } = await cluster.request({
    path: `${configsPath}/namespaces/${namespace}/auditexportconfigs/${name}`,
  });
  return body as unknown as { metadata: Record<string, unknown>; status?: ExportStatus };
}

/** Makes or changes the Secret; values as bytes or text. */
export async function applySecret(
  cluster: Cluster,
  namespace: string,
  name: string,
  data: Record<string, string | Uint8Array>,
  more: { readonly type?: string; readonly labels?: object; readonly annotations?: object } = {},
): Promise<void> {
  const { type, ...metadata } = { labels: { 'auditexport.dev/export': 'true' }, ...more };
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const answer = await cluster.request({
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}/secrets/${name}?fieldManager=tests&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace, ...metadata },
      ...(type !== undefined && { type }),
      data: Object.fromEntries(encoded),
    },
  });
  if (answer.status > 201) throw new Error(JSON.stringify(answer.body));
}

export async function deleteSecret(cluster: Cluster, namespace: string, name: string): Promise<void> {
  await cluster.request({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}/secrets/${name}` });
}

/** The value of the first header of a config that runs. */
export function tokenOf(state: ConfigState): string | undefined {
  const config = state.kind === 'valid' ? state.config : state.lastGood;
  return config?.destination.headers[0]?.value.reveal();
}

/** Writes a kubeconfig whose token is in a file, as a ServiceAccount's is. */
export async function writeTokenFileKubeconfig(
  cluster: Cluster,
  paths: { readonly kubeconfig: string; readonly token: string; readonly ca: string },
): Promise<void> {
  await writeFile(paths.ca, cluster.ca);
  await writeFile(
    paths.kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [{ name: 'test', cluster: { server: cluster.url, 'certificate-authority': paths.ca } }],
      users: [
        {
          name: 'user',
          user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile: paths.token } } },
        },
      ],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'user' } }],
    }),
  );
}
