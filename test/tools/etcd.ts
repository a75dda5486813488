import { join } from 'node:path';
import { findFreePort } from '../../tools/freePort.ts';
import { type Service, startService } from '../../tools/service.ts';
import { provideTool } from './build.ts';

/** For servers in Go that live for a minute: a fifth of what they cost was the collection of garbage. */
export const rarelyCollecting = { ...process.env, GOGC: '400' };

/** A real etcd on loopback, with its data in `folder`; nothing waits for the disk. */
export async function startEtcd(folder: string): Promise<{ url: string; service: Service }> {
  const [command, clientPort, peerPort] = await Promise.all([
    provideTool('etcd'),
    findFreePort(),
    findFreePort(),
  ]);
  const url = `http://127.0.0.1:${clientPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const service = await startService({
    name: 'etcd',
    command,
    args: [
      '--name=test',
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=test=${peerUrl}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    env: rarelyCollecting,
    isReady: async () => (await fetch(`${url}/health`)).ok,
  });
  return { url, service };
}
