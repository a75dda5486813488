/** The export drawer over a real API server: what the page saves, kubectl shows; what kubectl owns, the page leaves alone. */
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findFreePort } from '../../tools/freePort.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { expectAccessible, screenshot, useBrowser } from '../tools/browser.ts';
import { type Cluster, isClusterMissing, useCluster } from '../tools/cluster.ts';
import { insertEntries, migrateDatabase, numbered } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';
import { watchCluster, watchPage } from '../tools/watchedExports.ts';
import { makeClusterCollector } from './clusterCollector.ts';
import { applyConfig, applySecret, crd } from './harness.ts';
import { allowCollector, kubernetesRules, pageRules } from './rights.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();

async function startProduct(
  cluster: Cluster,
  rules: readonly unknown[] = [...kubernetesRules, ...pageRules],
) {
  const { url, db, receiver } = await setUp(postgres);
  const namespace = await cluster.createNamespace();
  await allowCollector(cluster, namespace, false, rules);
  const kubeconfig = await cluster.kubeconfigFor(await cluster.tokenFor('collector', namespace), namespace);
  const port = await findFreePort();
  const collector = await makeClusterCollector({
    databaseUrl: url,
    kubeconfig,
    namespace,
    settings: { PAGE_ADDRESS: `127.0.0.1:${port}`, AUTH_MODE: 'local' },
  });
  collector.start();
  await waitFor(
    async () => (await fetch(`${collector.operations}/readyz`).catch(() => null))?.status === 200,
    { timeoutMs: 60_000, describe: collector.output },
  );
  return {
    db,
    receiver,
    namespace,
    collector,
    url: `http://127.0.0.1:${port}/organizations/acme/audit-logs/export`,
  };
}

function manifest(namespace: string, name: string, spec: Record<string, unknown>): string {
  return JSON.stringify({
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name, namespace },
    spec: { organization: 'acme', ...spec },
  });
}

describe.skipIf(isClusterMissing())('the export drawer in a cluster', { timeout: 120_000 }, () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });

  it('saves a config that kubectl shows, and delivers by it', async () => {
    const { db, receiver, namespace, collector, url } = await startProduct(cluster.current);
    receiver.answerWith(({ headers }) => ({
      status: headers.authorization === 'Bearer s3cr3t' ? 200 : 401,
    }));
    const page = await browser.newPage();
    watchPage(page, { db, receiver });
    watchCluster(cluster.current, namespace, { db, receiver });
    await page.goto(`${url}/new`);
    await page.getByLabel('Endpoint URL').fill(receiver.endpoint);
    await page.getByLabel('Name', { exact: true }).fill('acme-siem');
    await page.getByLabel('Max batch size').fill('250');
    await page.getByRole('button', { name: 'Add header' }).click();
    await page.getByLabel('Name of header 1').fill('Authorization');
    await page.getByLabel('Value of header 1').fill('Bearer s3cr3t');
    await page.getByRole('button', { name: 'Add destination' }).click();
    await page.getByText('The destination was added.').waitFor();
    // It starts from now, which is when its stream is made.
    await waitFor(async () => (await db.query('select from audit.streams')).rowCount === 1);
    await insertEntries(db, numbered(7));
    await receiver.waitFor(
      (r) => r.records.filter(({ eventName }) => eventName === 'flow.created').length === 7,
    );

    const { stdout } = await cluster.current.kubectl([
      'get',
      'aec',
      'acme-siem',
      '-n',
      namespace,
      '-o',
      'yaml',
    ]);
    expect(stdout).not.toContain('s3cr3t');
    const { spec } = parse(stdout) as { spec: Record<string, unknown> };
    expect(spec).toMatchObject({ organization: 'acme', endpoint: receiver.endpoint, maxBatchSize: 250 });
    await page
      .getByRole('region', { name: 'State' })
      .getByText('Delivering', { exact: true })
      .waitFor({ timeout: 20_000 });
    await screenshot(page, 'export-cluster-delivering');
    expect(collector.output() + (await page.content())).not.toContain('s3cr3t');
  });

  it('shows what kubectl owns read-only, with its name, and changes the rest', async () => {
    const { current } = cluster;
    const { db, receiver, namespace, url } = await startProduct(current);
    watchCluster(current, namespace, { db, receiver });
    await applySecret(current, namespace, 'vault', { token: 'Bearer theirs' });
    const file = manifest(namespace, 'siem', {
      endpoint: receiver.endpoint,
      maxBatchSize: 50,
      headers: [{ name: 'Authorization', valueFrom: { secretKeyRef: { name: 'vault', key: 'token' } } }],
    });
    const applied = await current.kubectl(['apply', '--server-side', '-f', '-'], { input: file });
    expect(applied.exitCode, applied.stderr).toBe(0);
    const page = await browser.newPage({ viewport: { width: 1280, height: 1400 } });
    await page.goto(`${url}/${namespace}.siem`);
    const size = page.getByLabel('Max batch size');
    expect(await size.isEditable()).toBe(false);
    expect(await page.getByLabel('Endpoint URL').isEditable()).toBe(false);
    expect(await page.getByLabel('Name of header 1').isEditable()).toBe(false);
    expect(await page.getByText('Secret vault/token').isVisible()).toBe(true);
    expect(await page.getByText('Managed by kubectl').count()).toBeGreaterThanOrEqual(3);
    expect(await page.content()).not.toContain('Bearer theirs');
    await page.getByText('Advanced').click();
    await page.getByLabel('Timeout in seconds').fill('30');
    await page.getByRole('button', { name: 'Add header' }).click();
    await page.getByLabel('Name of header 2').fill('X-Tenant');
    await page.getByLabel('Value of header 2').fill('acme');
    await expectAccessible(page);
    await screenshot(page, 'export-owned');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    const { body } = await current.request({
      path: `/apis/auditexport.dev/v1/namespaces/${namespace}/auditexportconfigs/siem`,
    });
    const { spec } = body as { spec: { headers: Array<{ name: string }>; timeoutSeconds: number } };
    expect(spec).toMatchObject({ timeoutSeconds: 30, maxBatchSize: 50 });
    expect(spec.headers.map(({ name }) => name).toSorted()).toEqual(['Authorization', 'X-Tenant']);
    // kubectl goes on applying its own, without a conflict.
    const again = await current.kubectl(['apply', '--server-side', '-f', '-'], { input: file });
    expect(again.exitCode, again.stderr).toBe(0);
  });

  it('tells the second of two admins, though the first one used kubectl', async () => {
    const { current } = cluster;
    const { db, receiver, namespace, url } = await startProduct(current);
    watchCluster(current, namespace, { db, receiver });
    const page = await browser.newPage({ expectedErrors: [/409/] });
    await page.goto(`${url}/new`);
    await page.getByLabel('Endpoint URL').fill(receiver.endpoint);
    await page.getByLabel('Name', { exact: true }).fill('siem');
    await page.getByRole('button', { name: 'Add destination' }).click();
    await page.getByText('The destination was added.').waitFor();
    const patched = await current.kubectl([
      ...['patch', 'aec', 'siem', '-n', namespace, '--type=merge'],
      ...['-p', '{"spec": {"timeoutSeconds": 44}}'],
    ]);
    expect(patched.exitCode, patched.stderr).toBe(0);
    await page.getByLabel('Max batch size').fill('9');
    await page.getByRole('button', { name: 'Save' }).click();
    const notice = page.getByRole('alert').filter({ hasText: 'Nothing of yours was saved' });
    await notice.waitFor();
    expect(await notice.getByRole('table').textContent()).toMatch(/Timeout in seconds\s*44\s*10/);
    await screenshot(page, 'export-cluster-conflict');
    const { stdout } = await current.kubectl([
      'get',
      'aec',
      'siem',
      '-n',
      namespace,
      '-o',
      'jsonpath={.spec.maxBatchSize}',
    ]);
    expect(stdout).toBe('1000');
  });

  it('says what it knows while the API server is away, and delivers meanwhile', async () => {
    const { current } = cluster;
    const { db, receiver, namespace, collector, url } = await startProduct(current);
    watchCluster(current, namespace, { db, receiver });
    const spec = { organization: 'acme', endpoint: receiver.endpoint, startFrom: 'Beginning' };
    await applyConfig(current, namespace, 'siem', spec);
    const [first = ''] = await insertEntries(db, numbered(2));
    const logs = url.slice(0, -'/export'.length);
    const headers = {
      'HX-Request': 'true',
      'HX-Request-Type': 'partial',
      'HX-Target': 'div#export-trouble',
    };
    const read = async (path: string, more = {}) =>
      (await (await fetch(logs + path, { headers: more })).text()).replaceAll(/<[^>]*>|\s+/g, ' ');
    const waitForWords = (path: string, words: RegExp) =>
      waitFor(async () => words.test(await read(path)), {
        timeoutMs: 30_000,
        describe: () => `${path}: ${words}\n${collector.output().slice(-1_000)}`,
      });
    await waitForWords(`/entries/${first}`, /siem +Delivered/);
    await current.stopApiServer();
    const [meanwhile = ''] = await insertEntries(db, numbered(3));
    await receiver.waitFor((r) => r.ledger.storedCount === 5);
    // Nobody knows the names: the entry is said to be delivered, the destinations are not said to be none.
    await waitForWords(`/entries/${meanwhile}`, /Delivered/);
    await waitForWords('/export', /API server/);
    expect(await read('/export')).not.toMatch(/No destination yet|Delivering/);
    expect(await read('/trouble?live=1', headers)).not.toContain('Delivering');
    await current.startApiServer();
    await waitForWords('/export', /siem[\s\S]*Delivering/);
  });

  it('says which right is missing, and keeps what was typed', async () => {
    const { receiver, url } = await startProduct(cluster.current, kubernetesRules);
    const page = await browser.newPage({ expectedErrors: [/409/, /503/] });
    await page.goto(`${url}/new`);
    await page.getByLabel('Endpoint URL').fill(receiver.endpoint);
    await page.getByRole('button', { name: 'Add destination' }).click();
    const notice = page.getByRole('alert').filter({ hasText: 'Nothing was saved.' });
    await notice.waitFor();
    expect(await notice.textContent()).toContain('cannot patch resource');
    expect(await page.getByLabel('Endpoint URL').inputValue()).toBe(receiver.endpoint);
    await screenshot(page, 'export-refused');
  });
});
