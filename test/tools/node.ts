/**
 * A real node of Kubernetes beside the API server of `cluster.ts`: controllers, a scheduler, a kubelet with containerd,
 * and a proxy of the Services. Pods run the image that the Dockerfile makes, and reach this machine by `address`.
 */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { isIPv4, isIPv6 } from 'node:net';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';
import { findFreePort } from '../../tools/freePort.ts';
import { isListening, type Service, startService } from '../../tools/service.ts';
import { isToolMissing, provideTool } from './build.ts';
import { type Cluster, isClusterMissing, startCluster } from './cluster.ts';
import { arePackagesMissing } from './debianPackages.ts';
import { type Record as DnsRecord, startDns, type Zone } from './dnsServer.ts';
import { isImageBuilderMissing, provideImages } from './image.ts';
import { clusterDomain, makeNodeFiles, nodeName, ranges } from './nodeFiles.ts';
import { areNamespacesMissing, type Family, type Namespaces, startNamespaces } from './nodeNamespaces.ts';

export interface Node {
  readonly cluster: Cluster;
  /** Of this machine, as the pods reach it. */
  readonly address: string;
  readonly namespaces: Namespaces;
  /** What pods find under other names than those of Services: an address for each. A test may add some. */
  readonly names: Map<string, string>;
  /** Seconds of each part of the start. */
  readonly seconds: Readonly<Record<string, number>>;
  /** What its programs said last. */
  output(): string;
  /** Ends all of it, and deletes its data. */
  stop(): Promise<void>;
}

const programs = {
  containerd: 'containerd',
  runc: 'runc',
  tini: 'tini',
  nft: 'nftables',
  iptables: 'iptables',
  ipset: 'ipset',
  ip: 'iproute2',
  'host-local': 'containernetworking-plugins',
};

/** For `describe.skipIf`: says so when the suite has to be skipped. @throws Error when CI is set. */
export function isNodeMissing(): boolean {
  const suite = 'The pods of a real node';
  return (
    isImageBuilderMissing() ||
    arePackagesMissing(suite, programs) ||
    areNamespacesMissing(suite) ||
    isClusterMissing() ||
    isToolMissing('kube-node') ||
    isToolMissing('kube-router') ||
    isToolMissing('helm')
  );
}

/** @throws Error with what the program said that does not start. */
export async function startNode(family: Family = 'IPv4'): Promise<Node> {
  const [program, images] = await Promise.all([provideTool('kube-node'), provideImages()]);
  const folder = await mkdtemp(join(inject('runFolder'), 'node-'));
  const stops: Array<() => Promise<void>> = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next();
  };
  const services: Array<{ name: string; service: Service }> = [];
  const seconds: Record<string, number> = {};
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const startedAt = Date.now();
    const result = await work();
    seconds[name] = (Date.now() - startedAt) / 1000;
    return result;
  };
  try {
    const namespaces = await timed('namespaces', () => startNamespaces(folder, family));
    const { link } = namespaces;
    const names = new Map<string, string>();
    // Started first, ended before what is in them would be told to stop one by one.
    stops.push(namespaces.stop);
    const cluster = await timed('API server', () =>
      startCluster({
        forNodes: {
          host: link.host,
          serviceRange: ranges[family].services,
          firstService: ranges[family].firstService,
        },
      }),
    );
    stops.splice(1, 0, cluster.stop);
    const dns = await startDns(makeZone(cluster, names), { host: link.host, port: 53 });
    stops.splice(1, 0, dns.stop);
    const kubeconfig = cluster.adminKubeconfigPath;
    await writeFiles(folder, {
      ...makeNodeFiles({ folder, family, kubeconfig, namespaces }),
      'ca.crt': cluster.ca,
    });
    for (const name of ['kubelet', 'kube-proxy', 'kube-controller-manager', 'kube-scheduler'])
      await symlink(program, join(folder, name));
    const start = async (
      name: string,
      args: readonly string[],
      isReady: () => Promise<boolean>,
      before: readonly string[] = [],
    ) => {
      const [command = '', ...rest] = [
        ...before,
        name.startsWith('kube') ? join(folder, name) : name,
        ...args,
      ];
      const service = await timed(name, () => startService({ name, command, args: rest, isReady }));
      services.push({ name, service });
      if (before.length === 0) stops.splice(1, 0, service.stop);
    };
    await Promise.all([
      startControl(folder, cluster, start),
      startContainers({ folder, kubeconfig, namespaces, images: Object.values(images), cluster, start }),
    ]);
    const output = () =>
      services.map(({ name, service }) => `${name}: ${service.output().slice(-2_000)}`).join('\n');
    return { cluster, address: link.host, namespaces, names, seconds, output, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The names of the Services, and others. */
function makeZone(cluster: Cluster, names: ReadonlyMap<string, string>): Zone {
  const pattern = new RegExp(`^([^.]+)\\.([^.]+)\\.svc\\.${clusterDomain.replace('.', '\\.')}$`);
  return async (name) => {
    const known = names.get(name);
    if (known !== undefined) return toRecord([known]);
    const [, service, namespace] = pattern.exec(name) ?? [];
    if (service === undefined) return undefined;
    const { status, body } = await cluster.request({
      path: `/api/v1/namespaces/${namespace}/services/${service}`,
    });
    if (status !== 200) return status === 404 ? undefined : 'failed';
    return toRecord((body['spec'] as { clusterIPs: string[] }).clusterIPs);
  };
}

function toRecord(addresses: readonly string[]): DnsRecord {
  return { a: addresses.filter(isIPv4), aaaa: addresses.filter(isIPv6), ttl: 5 };
}

type Start = (
  name: string,
  args: readonly string[],
  isReady: () => Promise<boolean>,
  before?: readonly string[],
) => Promise<void>;

async function startControl(folder: string, cluster: Cluster, start: Start): Promise<void> {
  const common = async () => {
    const port = await findFreePort();
    const args = [
      `--kubeconfig=${cluster.adminKubeconfigPath}`,
      '--leader-elect=false',
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
    ];
    return { args, isReady: () => isListening(port) };
  };
  const [controllers, scheduler] = await Promise.all([common(), common()]);
  await Promise.all([
    start(
      'kube-controller-manager',
      [
        ...controllers.args,
        `--service-account-private-key-file=${cluster.signingKeyPath}`,
        `--root-ca-file=${join(folder, 'ca.crt')}`,
        `--cert-dir=${folder}`,
      ],
      controllers.isReady,
    ),
    start('kube-scheduler', [...scheduler.args, `--cert-dir=${folder}`], scheduler.isReady),
  ]);
}

async function startContainers(options: {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly namespaces: Namespaces;
  readonly images: readonly string[];
  readonly cluster: Cluster;
  readonly start: Start;
}): Promise<void> {
  const { folder, kubeconfig, namespaces, cluster, start } = options;
  const { enter, state } = namespaces;
  const ctr = 'ctr --address /run/containerd.sock --namespace k8s.io';
  const succeeds = (script: string) => namespaces.run(script).then(() => true);
  await start(
    'containerd',
    ['--config', join(folder, 'containerd.toml')],
    () => succeeds(`${ctr} version`),
    enter,
  );
  for (const image of options.images) await namespaces.run(`${ctr} images import ${image}`);
  const isReady = async () => {
    const { stdout } = await cluster.kubectl(['get', 'node', nodeName, '--no-headers']);
    return / Ready /.test(stdout);
  };
  const kubelet = [
    `--config=${join(folder, 'kubelet.yaml')}`,
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${namespaces.link.node}`,
    `--root-dir=${state}/kubelet`,
    `--cert-dir=${state}/certificates`,
  ];
  await Promise.all([
    start('kubelet', kubelet, isReady, enter),
    start(
      'kube-proxy',
      [`--config=${join(folder, 'kube-proxy.yaml')}`],
      async () => (await namespaces.run('nft list tables')).includes('kube-proxy'),
      enter,
    ),
  ]);
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { mode: 0o600 });
  }
}
