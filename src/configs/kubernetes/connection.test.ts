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

test('finds none outside of a pod and without a kubeconfig', async () => {
  vi.stubEnv('HOME', join(await makeHome(), '..'));
  vi.stubEnv('KUBECONFIG', '');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(loadConnection()).toEqual({ kind: 'not-found' });
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
