import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Settings } from '../settings/table.ts';
import { makeLogger } from '../telemetry/logger.ts';
import { makeMetrics } from '../telemetry/metrics.ts';
import { makeSource } from './makeSource.ts';

const make = (settings: Partial<Settings>) =>
  makeSource(settings as Settings, makeLogger({ level: 'silent' }), makeMetrics({ version: 'test' }));

test('says in one sentence that it runs in no cluster and has no kubeconfig, and what to set', async () => {
  const home = await mkdtemp(join(tmpdir(), 'audit-export-home-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  vi.stubEnv('HOME', home);
  vi.stubEnv('KUBECONFIG', '');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await make({ configSource: 'kubernetes' })).toEqual({
    kind: 'failed',
    problem:
      'CONFIG_SOURCE is kubernetes, but this process runs in no pod with a ServiceAccount token and there is no kubeconfig: set KUBECONFIG, or CONFIG_SOURCE=directory and CONFIG_DIRECTORY.',
  });
});

test('makes the source that the settings ask for', async () => {
  const made = await make({ configSource: 'directory', configDirectory: '/etc/exports' });
  expect(made).toMatchObject({ kind: 'made', source: { scope: 'directory /etc/exports' } });
});
