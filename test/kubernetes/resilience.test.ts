import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { makeCertificateAuthority } from '../tools/certificates.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import {
  applyConfig,
  applySecret,
  collectorKubeconfig,
  crd,
  deleteConfig,
  makeSpec,
  nameOf,
  secretHeader,
  startSource,
  type TestSource,
  tokenOf,
  writeTokenFileKubeconfig,
} from './harness.ts';
import { allowCollector, kubernetesRules } from './rights.ts';

/** Every watch ends after a second, so that what has changed about the rights is met soon. */
const shortWatches = { watchSeconds: { min: 1, max: 1 } };

const countLogs = ({ logs }: TestSource, text: string) =>
  logs().filter(({ msg }) => String(msg).includes(text)).length;
const isSynced = async ({ metrics }: TestSource) =>
  /^audit_export_config_source_synced 1$/m.test(await metrics());
const namesOf = ({ states }: TestSource) => [...(states()?.values() ?? [])].map(nameOf).toSorted();

describe.skipIf(isClusterMissing())('a cluster source in trouble', () => {
  const cluster = useCluster();

  it('waits for the CRD to be installed, and says so once', async () => {
    const { current } = cluster;
    const test = await startSource(current, { isReading: false });
    await waitFor(() => countLogs(test, 'The cluster does not know AuditExportConfig') === 1);
    expect(test.reports()).toBe(0);
    await current.applyFiles(crd);
    await waitFor(() => test.reports() === 1);
    expect(countLogs(test, 'The cluster does not know')).toBe(1);
    expect(await isSynced(test)).toBe(true);
  });

  it('keeps every config while the API server is away, and takes over what has changed meanwhile', {
    timeout: 60_000,
  }, async () => {
    const { current } = cluster;
    const test = await startSource(current);
    const { namespace } = test;
    await applySecret(current, namespace, 'siem', { token: 'one' });
    await applyConfig(current, namespace, 'stays', makeSpec(secretHeader('siem')));
    await applyConfig(current, namespace, 'goes');
    await waitFor(() => test.states()?.size === 2);
    const before = test.states();
    await current.stopApiServer();
    await waitFor(async () => !(await isSynced(test)));
    expect(test.states()).toBe(before);
    await current.startApiServer();
    await deleteConfig(current, namespace, 'goes');
    await applyConfig(current, namespace, 'comes');
    await applySecret(current, namespace, 'siem', { token: 'two' });
    await waitFor(() => namesOf(test).join() === 'comes,stays');
    await test.waitForState('stays', (state) => tokenOf(state) === 'two');
    await waitFor(() => isSynced(test));
    expect(countLogs(test, 'cannot be used')).toBe(1);
    expect(countLogs(test, 'can be read again')).toBe(1);
  });

  it('starts while the API server is away, and reads once it comes; a stop meanwhile ends at once', {
    timeout: 60_000,
  }, async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    const kubeconfig = await collectorKubeconfig(current, namespace);
    await applyConfig(current, namespace, 'acme');
    await current.stopApiServer();
    const stopped = await startSource(current, { namespace, kubeconfig, isReading: false });
    const test = await startSource(current, { namespace, kubeconfig, isReading: false });
    expect([test.reports(), countLogs(test, 'cannot be used'), await isSynced(test)]).toEqual([0, 1, false]);
    await stopped.source.stop();
    await current.startApiServer();
    await waitFor(() => test.reports() > 0);
    expect(namesOf(test)).toEqual(['acme']);
    expect(stopped.reports()).toBe(0);
  });

  it('names the missing right once, keeps what it has, and goes on when the right is back', async () => {
    const { current } = cluster;
    const test = await startSource(current, { timing: shortWatches });
    await applyConfig(current, test.namespace, 'acme');
    await waitFor(() => namesOf(test).length === 1);
    await allowCollector(current, test.namespace, false, kubernetesRules.slice(1));
    const sentence = `The collector may not read auditexportconfigs.auditexport.dev in namespace ${test.namespace}: bind its ServiceAccount to a role with the verbs get, list and watch`;
    await waitFor(() => countLogs(test, sentence) === 1);
    await waitFor(async () => /requests_total\{method="WATCH",code="403"\} [3-9]/.test(await test.metrics()));
    expect(await isSynced(test)).toBe(false);
    expect(namesOf(test)).toEqual(['acme']);
    await applyConfig(current, test.namespace, 'later');
    await allowCollector(current, test.namespace);
    await waitFor(() => namesOf(test).join() === 'acme,later');
    expect(countLogs(test, sentence)).toBe(1);
  });

  it('keeps a Secret that may not be read any more in force, and says of a new one what is missing', async () => {
    const { current } = cluster;
    const test = await startSource(current, { timing: shortWatches });
    const { namespace, waitForState } = test;
    await applySecret(current, namespace, 'siem', { token: 'one' });
    await applyConfig(current, namespace, 'acme', makeSpec(secretHeader('siem')));
    await waitForState('acme', (state) => tokenOf(state) === 'one');
    await allowCollector(current, namespace, false, [kubernetesRules[0], kubernetesRules[1]]);
    await waitFor(() => countLogs(test, 'The Secret cannot be followed') === 1);
    await applyConfig(current, namespace, 'acme', makeSpec({ ...secretHeader('siem'), maxBatchSize: 9 }));
    const changed = await waitForState('acme', (s) => s.kind === 'valid' && s.config.spec.maxBatchSize === 9);
    expect(tokenOf(changed)).toBe('one');
    await applyConfig(current, namespace, 'acme', makeSpec(secretHeader('other')));
    const wrong = await waitForState('acme', ({ kind }) => kind === 'invalid');
    expect(wrong).toMatchObject({
      reason: 'InvalidSecret',
      problems: [
        `Secret ${namespace}/other, key token (spec.headers[0]) may not be read by the collector: allow its ServiceAccount the verbs get and watch on it.`,
      ],
      lastGood: { spec: { maxBatchSize: 9 } },
    });
    await applySecret(current, namespace, 'other', { token: 'two' });
    await allowCollector(current, namespace);
    await waitForState('acme', (state) => state.kind === 'valid' && tokenOf(state) === 'two');
  });

  it('follows a Secret by reading alone where it may not watch', async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    const kubeconfig = await collectorKubeconfig(current, namespace);
    await allowCollector(current, namespace, false, [
      kubernetesRules[0],
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['siem'], verbs: ['get'] },
    ]);
    await applySecret(current, namespace, 'siem', { token: 'one' });
    await applyConfig(current, namespace, 'acme', makeSpec(secretHeader('siem')));
    const { waitForState } = await startSource(current, { namespace, kubeconfig });
    await waitForState('acme', (state) => tokenOf(state) === 'one');
    await applySecret(current, namespace, 'siem', { token: 'two' });
    await waitForState('acme', (state) => tokenOf(state) === 'two');
  });

  it('watches a Secret that a role names, and no other', async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    const kubeconfig = await collectorKubeconfig(current, namespace);
    await allowCollector(current, namespace, false, [
      kubernetesRules[0],
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['siem'], verbs: ['get', 'watch'] },
    ]);
    await applySecret(current, namespace, 'siem', { token: 'one' });
    await applyConfig(current, namespace, 'acme', makeSpec(secretHeader('siem')));
    const test = await startSource(current, { namespace, kubeconfig });
    await waitFor(async () => /method="WATCH",code="200"\} 2/.test(await test.metrics()));
    await applySecret(current, namespace, 'siem', { token: 'two' });
    await test.waitForState('acme', (state) => tokenOf(state) === 'two');
    expect(countLogs(test, 'cannot be followed')).toBe(0);
  });

  it('takes a rotated token and a rotated CA from their files', async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    await collectorKubeconfig(current, namespace);
    const token = await current.tokenFor('collector', namespace);
    const folder = join(tmpdir(), `audit-export-${process.pid}-`);
    const paths = { kubeconfig: `${folder}kubeconfig`, token: `${folder}token`, ca: `${folder}ca.crt` };
    onTestFinished(async () => {
      await Promise.all(Object.values(paths).map((path) => rm(path, { force: true })));
    });
    await writeTokenFileKubeconfig(current, paths);
    await writeFile(paths.token, 'expired');
    const { kubeconfig } = paths;
    const test = await startSource(current, {
      namespace,
      kubeconfig,
      isReading: false,
      timing: shortWatches,
    });
    await waitFor(() => countLogs(test, 'does not accept the credentials of the collector (401)') === 1);
    await writeFile(paths.token, `${token}\n`);
    await waitFor(() => test.reports() === 1);
    await writeFile(paths.ca, makeCertificateAuthority('Another').cert);
    await waitFor(() => countLogs(test, 'cannot be used') === 1);
    await writeFile(paths.ca, current.ca);
    await waitFor(() => isSynced(test));
    await applyConfig(current, namespace, 'acme');
    await waitFor(() => namesOf(test).length === 1);
  });

  it('leaves no connection, timer or request behind when it is stopped', async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    await applySecret(current, namespace, 'siem', { token: 'one' });
    await applyConfig(current, namespace, 'acme', makeSpec(secretHeader('siem')));
    const resources = () =>
      process.getActiveResourcesInfo().filter((name) => /TCPSocket|TLS/.test(name)).length;
    const before = resources();
    const test = await startSource(current, { namespace });
    await waitFor(async () => /method="WATCH",code="200"\} 2/.test(await test.metrics()));
    expect(resources()).toBeGreaterThan(before);
    await test.source.stop();
    const requests = (text: string) =>
      text.split('\n').filter((line) => line.includes('kubernetes_requests_total'));
    const asked = requests(await test.metrics());
    await waitFor(() => resources() <= before);
    await applySecret(current, namespace, 'siem', { token: 'two' });
    expect(requests(await test.metrics())).toEqual(asked);
    expect(tokenOf([...(test.states()?.values() ?? [])][0] as never)).toBe('one');
  });
});
