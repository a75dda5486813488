/** A real nginx between a browser and the page, with the buffers that it has by default. */

import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startService } from '../../tools/service.ts';
import { findDebianProgram } from './debianPackages.ts';

/** Programs and the packages they are in, for `arePackagesMissing`. */
export const nginxPackages = { nginx: 'nginx-light' };

/** Stopped with the test. @param extra lines of the location, such as headers that the proxy adds. */
export async function startNginx(
  ports: { readonly listen: number; readonly upstream: number },
  extra = '',
): Promise<void> {
  await startNginxWith(
    `server {
      listen 127.0.0.1:${ports.listen};
      location / {
        proxy_pass http://127.0.0.1:${ports.upstream};
        proxy_set_header Host $http_host;
        ${extra}
      }
    }`,
    { host: '127.0.0.1', port: ports.listen },
  );
}

/**
 * Serves these `server` blocks; stopped with the test.
 *
 * @param address where they listen.
 * @param before what comes before its command, such as what enters other namespaces.
 */
export async function startNginxWith(
  servers: string,
  address: { readonly host: string; readonly port: number },
  before: readonly string[] = [],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'audit-export-nginx-'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join('\n');
  const config = join(folder, 'nginx.conf');
  await writeFile(
    config,
    `daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  ${temporary}
  ${servers}
}
`,
  );
  const [command = '', ...args] = [
    ...before,
    findDebianProgram('nginx') ?? 'nginx',
    ...['-c', config, '-p', folder, '-e', 'stderr'],
  ];
  const service = await startService({
    name: 'nginx',
    command,
    args,
    isReady: async () => {
      const socket = connect(address.port, address.host);
      try {
        await once(socket, 'connect');
        return true;
      } finally {
        socket.destroy();
      }
    },
  });
  onTestFinished(async () => {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  });
}
