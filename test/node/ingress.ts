/** What an ingress controller does with an Ingress: nginx on the node, with its hosts, its certificates and its Services. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startNginxWith } from '../tools/nginx.ts';
import type { Node } from '../tools/node.ts';
import type { Release } from './release.ts';

interface Ingress {
  readonly spec: {
    readonly tls: ReadonlyArray<{ readonly secretName: string; readonly hosts: readonly string[] }>;
    readonly rules: ReadonlyArray<{
      readonly host: string;
      readonly http: {
        readonly paths: ReadonlyArray<{
          readonly path: string;
          readonly backend: {
            readonly service: { readonly name: string; readonly port: { readonly name: string } };
          };
        }>;
      };
    }>;
  };
}

export interface Site {
  readonly host: string;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** Where its requests go, such as `10.96.0.7:80`. */
  readonly upstream: string;
}

/** What the only Ingress of the release asks for. */
export async function readSites({ kubectl }: Release): Promise<Site[]> {
  const { spec } = JSON.parse(await kubectl('get ingress -o json')).items[0] as Ingress;
  return Promise.all(
    spec.rules.map(async ({ host, http }) => {
      const secretName = spec.tls.find(({ hosts }) => hosts.includes(host))?.secretName;
      const { data } = JSON.parse(await kubectl(`get secret ${secretName} -o json`));
      const { name, port } = http.paths[0]?.backend.service ?? { name: '', port: { name: '' } };
      const service = JSON.parse(await kubectl(`get service ${name} -o json`)).spec;
      const found = service.ports.find((each: { name: string }) => each.name === port.name);
      const decode = (text: string) => Buffer.from(text, 'base64').toString();
      return {
        host,
        cert: decode(data['tls.crt']),
        key: decode(data['tls.key']),
        upstream: `${service.clusterIP}:${found.port}`,
      };
    }),
  );
}

/** Serves them at the node's address, with the headers that ingress-nginx adds. Stopped with the test. */
export async function startIngress(node: Node, sites: readonly Site[], port = 443): Promise<void> {
  const { pid, link } = node.namespaces;
  const folder = await mkdtemp(join(tmpdir(), 'audit-export-ingress-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const servers = sites.map(async ({ host, cert, key, upstream }) => {
    await writeFile(join(folder, `${host}.crt`), cert);
    await writeFile(join(folder, `${host}.key`), key, { mode: 0o600 });
    return `server {
      listen ${link.node}:${port} ssl;
      server_name ${host};
      ssl_certificate ${folder}/${host}.crt;
      ssl_certificate_key ${folder}/${host}.key;
      location / {
        proxy_pass http://${upstream};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-Proto $scheme;
      }
    }`;
  });
  await startNginxWith(
    (await Promise.all(servers)).join('\n'),
    { host: link.node, port },
    // The node's network, where Services can be reached, and nothing else of it.
    ['nsenter', '-t', String(pid), '-n', '--'],
  );
}
