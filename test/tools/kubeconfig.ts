import { chmod, writeFile } from 'node:fs/promises';
import { KubeConfig } from '@kubernetes/client-node';

export interface Access {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly token: string;
  /** Of the context; `default` when absent. */
  readonly namespace?: string;
}

/** A kubeconfig for whoever `token` stands for. */
export function makeKubeConfig({ url, ca, token, namespace = 'default' }: Access): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'test', server: url, caData: Buffer.from(ca).toString('base64') }],
    users: [{ name: 'user', token }],
    contexts: [{ name: 'test', cluster: 'test', user: 'user', namespace }],
    currentContext: 'test',
  });
  return config;
}

/** The same as a file, for kubectl and for a collector in a process of its own. */
export async function writeKubeconfig(path: string, access: Access): Promise<void> {
  // JSON is YAML.
  await writeFile(path, makeKubeConfig(access).exportConfig());
  await chmod(path, 0o600);
}
