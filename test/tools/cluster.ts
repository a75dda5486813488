/**
 * A real Kubernetes API for tests: kube-apiserver with RBAC and an etcd, on loopback, with data of its own.
 *
 * There is no controller manager: a deleted namespace stays Terminating, nothing is collected, and a namespace has no
 * ServiceAccount `default`.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, inject } from 'vitest';
import { isToolMissing, provideTool, toolTimeoutMs } from './build.ts';
import { applyYaml } from './clusterObjects.ts';
import { startEtcd } from './etcd.ts';
import { type ForNodes, makeKubeApiserver } from './kubeApiserver.ts';
import { makeKubeConfig, writeKubeconfig } from './kubeconfig.ts';
import { type KubeRequester, makeKubeRequester } from './kubeRequest.ts';
import { type Kubectl, makeKubectl } from './runKubectl.ts';

export interface Cluster {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  /** For the admin, who may do everything. */
  readonly client: KubeConfig;
  readonly adminKubeconfigPath: string;
  /** Of the key that signs the tokens of ServiceAccounts. */
  readonly signingKeyPath: string;
  /** As the admin. */
  readonly kubectl: Kubectl;
  /** As the admin, with nothing between. */
  readonly request: KubeRequester['request'];
  /** Server-side applies every document of the YAML as the admin, and waits until CRDs are served. */
  apply(yaml: string): Promise<void>;
  applyFiles(...paths: readonly string[]): Promise<void>;
  /** Makes a namespace that no other test has, and returns its name. */
  createNamespace(): Promise<string>;
  /** A token of the ServiceAccount, which is made if need be, by the TokenRequest API; valid for an hour. */
  tokenFor(serviceAccount: string, namespace: string): Promise<string>;
  clientFor(token: string, namespace?: string): KubeConfig;
  /** Path of a kubeconfig file for that token. */
  kubeconfigFor(token: string, namespace?: string): Promise<string>;
  /** Resolves when it has ended; watches are cut, and nobody listens on the port until the start. */
  stopApiServer(): Promise<void>;
  /** On the same port, with the same data and keys; resolves when it is ready. */
  startApiServer(): Promise<void>;
  restartApiServer(): Promise<void>;
  /** What the API server printed last. */
  output(): string;
  /** Ends both servers and deletes their data. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  /** More flags of kube-apiserver. */
  readonly flags?: readonly string[];
  readonly forNodes?: ForNodes;
}

/** Makes a watch or a continued list from an older resourceVersion end in 410 after 2 to 4 s. */
export const fastCompaction: ClusterOptions = {
  flags: ['--etcd-compaction-interval=2s', '--watch-cache=false'],
};

/** For `describe.skipIf`: says so when the suite has to be skipped. @throws Error when CI is set. */
export function isClusterMissing(): boolean {
  return (['kube-apiserver', 'etcd', 'kubectl'] as const).some((tool) => isToolMissing(tool));
}

/** The caller stops it. Most tests want `useCluster`. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  // A test that uses it first has no time to build it.
  await provideTool('kubectl');
  const folder = await mkdtemp(join(inject('runFolder'), 'cluster-'));
  const removeFolder = () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  const stops: Array<() => Promise<void>> = [removeFolder];
  const stop = async () => {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next();
  };
  try {
    const etcd = await startEtcd(folder);
    stops.push(etcd.service.stop);
    const server = await makeKubeApiserver({
      folder,
      etcdUrl: etcd.url,
      flags: options.flags ?? [],
      forNodes: options.forNodes,
    });
    stops.push(server.stop);
    await server.start();

    const { url, ca } = server;
    const client = makeKubeConfig({ url, ca, token: server.adminToken });
    const core = client.makeApiClient(CoreV1Api);
    const requester = makeKubeRequester({ url, ca, token: server.adminToken });
    stops.push(requester.close);
    const adminKubeconfigPath = join(folder, 'admin.kubeconfig');
    await writeKubeconfig(adminKubeconfigPath, { url, ca, token: server.adminToken });
    let namespaces = 0;
    let kubeconfigs = 0;
    return {
      url,
      ca,
      client,
      adminKubeconfigPath,
      signingKeyPath: server.signingKey,
      kubectl: makeKubectl(adminKubeconfigPath, folder),
      request: requester.request,
      apply: (yaml) => applyYaml(requester, yaml),
      async applyFiles(...paths) {
        for (const path of paths) await applyYaml(requester, await readFile(path, 'utf8'));
      },
      async createNamespace() {
        const name = `test-${++namespaces}`;
        await core.createNamespace({ body: { metadata: { name } } });
        return name;
      },
      async tokenFor(serviceAccount, namespace) {
        await applyYaml(
          requester,
          `{apiVersion: v1, kind: ServiceAccount, metadata: {name: ${serviceAccount}, namespace: ${namespace}}}`,
        );
        const { status } = await core.createNamespacedServiceAccountToken({
          name: serviceAccount,
          namespace,
          body: { spec: { audiences: [], expirationSeconds: 3600 } },
        });
        return status?.token ?? '';
      },
      clientFor: (token, namespace) => makeKubeConfig({ url, ca, token, ...(namespace && { namespace }) }),
      async kubeconfigFor(token, namespace) {
        const path = join(folder, `${++kubeconfigs}.kubeconfig`);
        await writeKubeconfig(path, { url, ca, token, ...(namespace && { namespace }) });
        return path;
      },
      stopApiServer: server.stop,
      startApiServer: server.start,
      async restartApiServer() {
        await server.stop();
        await server.start();
      },
      output: server.output,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Gives the test file (or `describe` block) that calls it a cluster of its own; `prepare` runs once, after the start. */
export function useCluster(
  options: ClusterOptions & { readonly prepare?: (cluster: Cluster) => Promise<void> } = {},
): { readonly current: Cluster } {
  let cluster: Cluster | undefined;
  beforeAll(async () => {
    cluster = await startCluster(options);
    await options.prepare?.(cluster);
  }, toolTimeoutMs);
  afterAll(async () => {
    await cluster?.stop();
  });
  return {
    get current() {
      if (cluster === undefined) throw new Error('The cluster is there from beforeAll to afterAll only.');
      return cluster;
    },
  };
}
