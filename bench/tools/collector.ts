/** The collector as its users run it: a separate process, manifests as files. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { findFreePort } from '../../tools/freePort.ts';
import { type Service, startService } from '../../tools/service.ts';

export interface CollectorOptions {
  readonly databaseUrl: string;
  /** The directory of the manifests. */
  readonly directory: string;
  /** Options for node itself, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
}

/** Starts it with default settings except for the log level. Resolves once /readyz answers 200. */
export async function startCollector(options: CollectorOptions): Promise<Service> {
  const address = `127.0.0.1:${await findFreePort()}`;
  return startService({
    name: 'The collector',
    command: process.execPath,
    args: [...(options.nodeOptions ?? []), fileURLToPath(new URL('../../cmd/collector.ts', import.meta.url))],
    env: {
      ...process.env,
      DATABASE_URL: options.databaseUrl,
      CONFIG_SOURCE: 'directory',
      CONFIG_DIRECTORY: options.directory,
      OPERATIONS_ADDRESS: address,
      PAGE_ADDRESS: 'off',
      LOG_LEVEL: 'warn',
      // One more entry than the benchmark counts.
      CONFIG_CHANGE_ENTRIES: 'omit',
    },
    isReady: async () => (await fetch(`http://${address}/readyz`)).ok,
  });
}

export async function writeManifest(
  directory: string,
  name: string,
  spec: Readonly<Record<string, unknown>>,
): Promise<void> {
  const manifest = { apiVersion: 'auditexport.dev/v1', kind: 'AuditExportConfig', metadata: { name }, spec };
  await writeFile(join(directory, `${name}.yaml`), stringify(manifest));
}
