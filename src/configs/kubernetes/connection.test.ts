import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { loadConnection } from './connection.ts';

async function makeHome(kubeconfig?: string): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'audit-export-home-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const path = join(home, 'kubeconfig');
  if (kubeconfig !== undefined) await writeFile(path, kubeconfig);
  return path;
}

test('says in one sentence that it runs in no cluster and has no kubeconfig', async () => {
  vi.stubEnv('HOME', join(await makeHome(), '..'));
  vi.stubEnv('KUBECONFIG', '');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(loadConnection()).toEqual({
    kind: 'failed',
    problem:
      'CONFIG_SOURCE is kubernetes, but this process runs in no pod with a ServiceAccount token and there is no kubeconfig: set KUBECONFIG, or CONFIG_SOURCE=directory and CONFIG_DIRECTORY.',
  });
});

test('names a kubeconfig that is not there', async () => {
  const path = await makeHome();
  const loaded = loadConnection(path);
  expect(loaded).toMatchObject({ kind: 'failed', problem: expect.stringContaining(path) });
});

test('names a current context that leads to no cluster', async () => {
  const path = await makeHome(
    '{apiVersion: v1, kind: Config, current-context: lost, clusters: [], users: [], contexts: []}',
  );
  expect(loadConnection(path)).toMatchObject({ kind: 'failed', problem: expect.stringContaining('(lost)') });
});
