/** Runs Helm as a person would, on the chart of this repository. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { provideTool } from '../tools/build.ts';
import type { ManifestObject } from './manifest.ts';

export const chartFolder = join(import.meta.dirname, '../../charts/audit-export');

/** Every documented combination of values: the files of ci/. */
export const combinations: readonly string[] = readdirSync(join(chartFolder, 'ci')).map((name) =>
  name.replace('.yaml', ''),
);

/** Helm 4, or Helm 3. */
export type HelmVersion = 'helm' | 'helm3';

export interface HelmResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Resolves whatever the exit code. `home` takes what Helm keeps; without `kubeconfig` it knows of no cluster. */
export async function runHelm(
  args: readonly string[],
  options: {
    readonly kubeconfig?: string;
    readonly home?: string;
    readonly values?: unknown;
    readonly helm?: HelmVersion;
  } = {},
): Promise<HelmResult> {
  const { kubeconfig = '/dev/null', home = '/nonexistent', values, helm = 'helm' } = options;
  const command = await provideTool(helm);
  const child = spawn(command, values === undefined ? args : [...args, '--values', '-'], {
    env: { PATH: process.env['PATH'], HOME: home, KUBECONFIG: kubeconfig },
    timeout: 120_000,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(values === undefined ? '' : stringify(values));
  const [exitCode] = await once(child, 'close');
  return { exitCode: exitCode ?? -1, stdout, stderr };
}

/** Of `charts/audit-export/ci`. */
export function combinationArgs(name: string): string[] {
  return ['--values', join(chartFolder, 'ci', `${name}.yaml`)];
}

/** The objects of `helm template`, hooks included. @throws Error with Helm's words. */
export async function renderChart(
  args: readonly string[] = [],
  values?: unknown,
  helm: HelmVersion = 'helm',
): Promise<ManifestObject[]> {
  const result = await runHelm(['template', 'demo', chartFolder, '--namespace', 'audit', ...args], {
    values,
    helm,
  });
  if (result.exitCode !== 0) throw new Error(result.stderr);
  return parseObjects(result.stdout);
}

export function parseObjects(yaml: string): ManifestObject[] {
  return parseAllDocuments(yaml)
    .map((document): ManifestObject | null => {
      if (document.errors[0]) throw document.errors[0];
      return document.toJS();
    })
    .filter((object) => object !== null);
}
