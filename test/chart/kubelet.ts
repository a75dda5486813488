/**
 * What a node would do with the pods of the chart, as far as a test needs it: a container is a process of this machine,
 * with the environment, the files and the rights that its pod has, and no others. Paths of mounts are moved into a folder,
 * and the network of the pod is this machine's loopback.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CoreV1Api } from '@kubernetes/client-node';
import { onTestFinished } from 'vitest';
import { killWithParent } from '../../tools/killWithParent.ts';
import { writeTokenFileKubeconfig } from '../kubernetes/harness.ts';
import type { Cluster } from '../tools/cluster.ts';
import { type Container, findContainer, type ManifestObject, podSpecOf, type Volume } from './manifest.ts';

export interface ContainerProcess {
  readonly output: () => string;
  /** Resolves with the exit code when it has ended by itself; null after a signal. */
  readonly ended: Promise<number | null>;
  /** Asks it to end, as a node does; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export interface NodeOptions {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** Replaces parts of values: names of Services, which nothing resolves here. */
  readonly translate?: (value: string) => string;
}

/** Starts the container of the object's pod. It is ended with the test. */
export async function startContainer(
  options: NodeOptions,
  object: ManifestObject,
  name: string,
): Promise<ContainerProcess> {
  const container = findContainer(object, name);
  const root = await mkdtemp(join(tmpdir(), 'audit-export-pod-'));
  const env = await makeEnvironment(options, object, container, root);
  const child = spawn('node', container.args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const unwatch = killWithParent(child.pid ?? 0, 'TERM');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const ended = once(child, 'close').then(() => {
    unwatch();
    return child.exitCode;
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(root, { recursive: true, force: true });
  });
  return {
    output: () => output,
    ended,
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

async function makeEnvironment(
  options: NodeOptions,
  object: ManifestObject,
  container: Container,
  root: string,
): Promise<Record<string, string>> {
  const { translate = (value) => value } = options;
  const pod = podSpecOf(object);
  const mounts = container.volumeMounts ?? [];
  for (const { name, mountPath } of mounts) {
    const volume = pod?.volumes?.find((each) => each.name === name);
    if (volume === undefined) throw new Error(`There is no volume ${name}.`);
    await writeVolume(options, volume, join(root, mountPath));
  }
  const podName = `${object.metadata.name}-0`;
  const values = (container.env ?? []).map(({ name, value = '', valueFrom }) => {
    if (valueFrom?.fieldRef?.fieldPath === 'metadata.name') return [name, podName];
    if (valueFrom !== undefined) throw new Error(`${name} comes from where this test does not look.`);
    const isMounted = mounts.some(
      ({ mountPath }) => value === mountPath || value.startsWith(`${mountPath}/`),
    );
    return [
      name,
      isMounted ? join(root, value) : translate(value.replace(/^(?:0\.0\.0\.0|\[::\]):/, '127.0.0.1:')),
    ];
  });
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    ...(pod?.automountServiceAccountToken !== false && {
      KUBECONFIG: await writeServiceAccount(options, pod?.serviceAccountName ?? 'default', root),
    }),
    ...Object.fromEntries(values),
  };
}

/** Stands for /var/run/secrets/kubernetes.io/serviceaccount. @throws Error when there is no such ServiceAccount. */
async function writeServiceAccount({ cluster, namespace }: NodeOptions, name: string, root: string) {
  const core = cluster.client.makeApiClient(CoreV1Api);
  const { status } = await core.createNamespacedServiceAccountToken({
    name,
    namespace,
    body: { spec: { audiences: [], expirationSeconds: 3600 } },
  });
  const paths = {
    kubeconfig: join(root, 'kubeconfig'),
    token: join(root, 'token'),
    ca: join(root, 'ca.crt'),
  };
  await writeFile(paths.token, status?.token ?? '');
  await writeTokenFileKubeconfig(cluster, paths);
  return paths.kubeconfig;
}

interface Files {
  readonly [name: string]: string;
}

async function writeVolume(options: NodeOptions, volume: Volume, folder: string): Promise<void> {
  const sources = volume.projected?.sources ?? [{ secret: volume.secret }];
  const files: Record<string, string> = {};
  for (const { configMap, secret } of sources as NonNullable<Volume['projected']>['sources']) {
    if (configMap !== undefined) Object.assign(files, await readData(options, 'configmaps', configMap.name));
    if (secret === undefined) continue;
    const data = await readData(options, 'secrets', secret.secretName ?? secret.name ?? '');
    for (const { key, path } of secret.items) {
      const text = data[key];
      // A pod waits for it, for ever.
      if (text === undefined) throw new Error(`The Secret of volume ${volume.name} has no key ${key}.`);
      files[path] = text;
    }
  }
  await writeFiles(folder, files);
}

async function readData({ cluster, namespace }: NodeOptions, resource: string, name: string): Promise<Files> {
  const { status, body } = await cluster.request({
    path: `/api/v1/namespaces/${namespace}/${resource}/${name}`,
  });
  if (status !== 200) throw new Error(`${resource} ${name}: ${body['message']}`);
  const data = Object.entries((body['data'] ?? {}) as Files);
  if (resource === 'configmaps') return Object.fromEntries(data);
  return Object.fromEntries(data.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

/** As a kubelet lays them: in a folder that `..data` leads to, with a link for each name at the top. */
async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, '..version', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  await symlink('..version', join(folder, '..data'));
  for (const top of new Set(Object.keys(files).map((name) => name.split('/')[0] ?? name))) {
    await symlink(join('..data', top), join(folder, top));
  }
}
