/**
 * The demo's manifests: one for each organization of the sample product, and one with a mistyped endpoint, so that there is
 * a failure to look at. They are written if missing and then left alone, so that your edits stay.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { organizations } from './product/cast.ts';

export interface DemoConfigs {
  readonly directory: string;
  /** Without a path. */
  readonly endpoint: string;
  /** The endpoint of the previous run; manifests that name it get `endpoint` instead. null: there was none. */
  readonly previousEndpoint: string | null;
  /** Value of the Authorization header. */
  readonly authorization: string;
}

/** @throws Error of node:fs. */
export async function writeConfigs(configs: DemoConfigs): Promise<void> {
  const { directory, endpoint, previousEndpoint } = configs;
  // A folder of an earlier run: manifests deleted since then stay deleted.
  const isFirstRun = previousEndpoint === null;
  for (const { name } of organizations) {
    const secrets = join(directory, 'secrets', name);
    await mkdir(secrets, { recursive: true, mode: 0o700 });
    await writeIfMissing(join(secrets, 'authorization'), `${configs.authorization}\n`);
    const file = join(directory, `${name}.yaml`);
    await writeIfMissing(file, makeManifest(name, name, endpoint, extras[name] ?? ''));
    if (!isFirstRun) await moveEndpoint(file, previousEndpoint, endpoint);
  }
  const broken = join(directory, `${brokenName}.yaml`);
  if (isFirstRun) {
    await writeIfMissing(broken, makeManifest(brokenName, 'acme', endpoint + mistypedPath, brokenExtras));
  } else {
    await moveEndpoint(broken, previousEndpoint + mistypedPath, endpoint + mistypedPath);
    await moveEndpoint(broken, previousEndpoint, endpoint);
  }
}

/** Its receiver answers 404: the path should end in logs. */
const brokenName = 'acme-archive';
const mistypedPath = '/v1/log';
const brokenExtras = '  startFrom: Beginning          # everything waits until the endpoint is right\n';

/** Fields that differ, to show what a manifest can say. */
const extras: Readonly<Record<string, string>> = {
  acme: '  startFrom: Beginning          # Now | Beginning | a time; counts only when the export is first seen\n',
  globex: '  maxBatchSize: 100             # records a request carries at most\n',
  initech: '  filter:\n    excludeEventTypes: ["login.*"]\n',
  hooli: '  compression: none\n',
};

function makeManifest(name: string, organization: string, endpoint: string, extra: string): string {
  return `# Edit and save: the change is taken at once. What became of it is in ${name}.status.yaml beside this file.
apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata:
  name: ${name}
spec:
  organization: ${organization}
${endpointLine(endpoint)}
  headers:
  - name: Authorization
    valueFrom:
      secretKeyRef: {name: ${organization}, key: authorization}   # the file secrets/${organization}/authorization
  suspend: false                # true: entries wait
${extra}`;
}

async function writeIfMissing(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Changes the line only if it is still as we wrote it. */
async function moveEndpoint(file: string, before: string, after: string): Promise<void> {
  if (before === after) return;
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  if (!lines.includes(endpointLine(before))) return;
  const moved = lines.map((line) => (line === endpointLine(before) ? endpointLine(after) : line));
  await writeFile(`${file}.tmp`, moved.join('\n'), { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

function endpointLine(endpoint: string): string {
  return `  endpoint: ${endpoint}`;
}
