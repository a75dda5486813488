/** Starts the API server of Kubernetes, again and again on the same port and the same data. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { findFreePort } from '../../tools/freePort.ts';
import { type Service, startService } from '../../tools/service.ts';
import { provideTool } from './build.ts';
import { makeCertificateAuthority } from './certificates.ts';
import { rarelyCollecting } from './etcd.ts';

export interface KubeApiserver {
  readonly url: string;
  /** PEM of the authority that signed its certificate. */
  readonly ca: string;
  /** Of a user in `system:masters`, who may do everything. */
  readonly adminToken: string;
  /** Path of the key that signs the tokens of ServiceAccounts. */
  readonly signingKey: string;
  /** Resolves when it is ready. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** What it printed last; empty while it does not run. */
  output(): string;
}

/** What differs where nodes run pods: they reach the server by `host`, and pods by the first address of the Services. */
export interface ForNodes {
  readonly host: string;
  readonly serviceRange: string;
  readonly firstService: string;
}

/** Writes what the server needs into `folder`; starts nothing yet. */
export async function makeKubeApiserver(options: {
  readonly folder: string;
  readonly etcdUrl: string;
  readonly flags: readonly string[];
  readonly forNodes?: ForNodes | undefined;
}): Promise<KubeApiserver> {
  const { forNodes } = options;
  const { host = '127.0.0.1', serviceRange = '10.0.0.0/24', firstService = '10.0.0.1' } = forNodes ?? {};
  const [command, port] = await Promise.all([provideTool('kube-apiserver'), findFreePort()]);
  const url = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const authority = makeCertificateAuthority('Test cluster');
  const serving = authority.issue(['127.0.0.1', 'localhost', host, firstService]);
  const serviceAccountKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const adminToken = randomBytes(16).toString('hex');
  const file = async (name: string, text: string | Buffer) => {
    const path = join(options.folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const signingKey = await file(
    'service-accounts.key',
    serviceAccountKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );
  const publicKey = await file(
    'service-accounts.pub',
    serviceAccountKeys.publicKey.export({ type: 'spki', format: 'pem' }),
  );
  const args = [
    `--etcd-servers=${options.etcdUrl}`,
    `--bind-address=${host}`,
    `--secure-port=${port}`,
    `--cert-dir=${options.folder}`,
    `--tls-cert-file=${await file('serving.crt', serving.cert)}`,
    `--tls-private-key-file=${await file('serving.key', serving.key)}`,
    `--token-auth-file=${await file('tokens.csv', `${adminToken},admin,admin,"system:masters"\n`)}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${signingKey}`,
    `--service-account-key-file=${publicKey}`,
    `--service-cluster-ip-range=${serviceRange}`,
    '--authorization-mode=RBAC',
    forNodes === undefined
      ? // It waits for the default ServiceAccount of a namespace, which a controller manager would make.
        '--disable-admission-plugins=ServiceAccount'
      : '--kubelet-preferred-address-types=InternalIP',
    ...options.flags,
  ];
  let running: Service | undefined;
  return {
    url,
    ca: authority.cert,
    adminToken,
    signingKey,
    async start() {
      running ??= await startService({
        name: 'kube-apiserver',
        command,
        args,
        env: rarelyCollecting,
        isReady: () => isOk(`${url}/readyz`, authority.cert, adminToken),
        // Told to stop, it keeps the watches of others for a minute; killed, it loses nothing: etcd has everything.
        stopSignal: 'SIGKILL',
      });
    },
    async stop() {
      const service = running;
      running = undefined;
      await service?.stop();
    },
    output: () => running?.output() ?? '',
  };
}

function isOk(url: string, ca: string, token: string): Promise<boolean> {
  return new Promise((settle, reject) => {
    get(url, { ca, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume();
      settle(response.statusCode === 200);
    }).on('error', reject);
  });
}
