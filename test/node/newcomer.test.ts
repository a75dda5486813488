/**
 * The way of a newcomer on a real node: the image that is built, `helm install`, one `kubectl apply`, and an entry
 * arrives; an upgrade while entries are written; then a second release beside it, with its page behind an Ingress; and both
 * are uninstalled. Nothing is lost, repeated or out of number.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { screenshot, useBrowser } from '../tools/browser.ts';
import { provideTool, toolTimeoutMs } from '../tools/build.ts';
import { insertEntries, numbered } from '../tools/database.ts';
import { isNodeMissing, type Node, startNode } from '../tools/node.ts';
import { usePostgres } from '../tools/postgres.ts';
import { readSites, startIngress } from './ingress.ts';
import { preparePage } from './page.ts';
import { enforcePolicies } from './policies.ts';
import { expectWhole, startProduct } from './product.ts';
import { prepareRelease, type Release } from './release.ts';

describe.skipIf(isNodeMissing())('a release in real pods', () => {
  const postgres = usePostgres();
  let node: Node;
  let first: Release;
  let second: Release;
  beforeAll(async () => {
    for (const tool of ['helm', 'helm3', 'kube-router'] as const) await provideTool(tool);
    node = await startNode();
    first = await prepareRelease(node, postgres);
    second = await prepareRelease(node, postgres, { namespace: '2024', helmVersion: 'helm3' });
  }, toolTimeoutMs);
  const browser = useBrowser(() => [`--host-resolver-rules=MAP *.example.com ${node.namespaces.link.node}`]);
  afterAll(async () => {
    for (const release of [first, second]) await release?.stop();
    await node?.stop();
  });

  test('installs, delivers, and is upgraded while entries come: each of them arrives once', {
    timeout: 300_000,
  }, async () => {
    const { db, receiver, values, kubectl, helm, applyConfig } = first;
    const seconds: Record<string, number> = {};
    const timed = async (step: string, work: () => Promise<unknown>): Promise<void> => {
      const startedAt = Date.now();
      await work();
      seconds[step] = (Date.now() - startedAt) / 1000;
    };
    await timed('install', () => helm('install', values));
    await timed('apply', () => applyConfig());
    await timed('first entry', async () => {
      await insertEntries(db, numbered(1));
      await receiver.waitFor((r) => r.ledger.storedCount === 1, 30_000);
    });
    const waitForNothingPending = async () => {
      let shown = '';
      await waitFor(
        async () => {
          shown = await kubectl('get aec');
          return / True +Delivering +0 /.test(shown);
        },
        { timeoutMs: 30_000, pollMs: 200, describe: () => shown },
      );
    };
    await waitForNothingPending();

    const podsBefore = await kubectl('get pods -o name');
    const product = startProduct(db, 200);
    // A second release must have its own configs.
    await timed('upgrade', () =>
      helm('upgrade', { ...values, configs: { watchNamespace: first.namespace } }),
    );
    await product.stop();
    // None of the former pods is left, so every stream changed hands.
    await timed('former pods gone', () =>
      waitFor(
        async () => {
          const names = (await kubectl('get pods -o name')).trim().split('\n');
          return names.length === 2 && names.every((name) => !podsBefore.includes(name));
        },
        { timeoutMs: 60_000, pollMs: 200 },
      ),
    );
    const delivered = await expectWhole(first);
    expect(delivered.entries).toBeGreaterThan(200);
    expect(delivered.repeats).toBe(0);
    await waitForNothingPending();
    const counted = await kubectl('get aec acme -o jsonpath={.status.deliveredEntries}');
    expect(counted).toBe(String(delivered.entries));
    process.stderr.write(`node: ${JSON.stringify({ ...node.seconds, ...seconds, ...delivered })}\n`);
  });

  test('of the same name in another namespace, by Helm 3, with its page behind an Ingress and a login: somebody adds a destination there', {
    timeout: 200_000,
  }, async () => {
    const { people, values, issuer } = await preparePage(node, second);
    const all = {
      ...second.values,
      ...values,
      settings: { ...second.values.settings, ...values.settings },
      // The first release has brought the definition.
      crds: { enabled: false },
      configs: { watchNamespace: second.namespace },
    };
    await second.helm('install', all);
    await startIngress(node, await readSites(second));
    // Until the proxy of the Services knows of the pods.
    const page = await browser.newPage({ ignoreHTTPSErrors: true, expectedErrors: [/502/] });
    const form = 'https://audit.example.com/organizations/acme/audit-logs/export/new';
    await waitFor(async () => (await page.goto(form))?.ok(), { timeoutMs: 30_000 });
    expect(page.url()).toContain(issuer);
    await page.getByLabel('Name').fill(people.admin);
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.getByLabel('Endpoint URL').fill(second.endpoint);
    await page.getByLabel('Every entry there is').check();
    await page.getByLabel('Name', { exact: true }).fill('acme-siem');
    await page.getByRole('button', { name: 'Add header' }).click();
    await page.getByLabel('Name of header 1').fill('Authorization');
    await page.getByLabel('Value of header 1').fill('Bearer s3cr3t');
    await page.getByRole('button', { name: 'Add destination' }).click();
    await page.getByText('The destination was added.').waitFor();
    await waitFor(async () => (await second.db.query('select from audit.streams')).rowCount === 1);
    await insertEntries(second.db, numbered(7));
    const state = page.getByRole('region', { name: 'State' });
    await state.getByText('Delivering', { exact: true }).waitFor({ timeout: 20_000 });
    await screenshot(page, 'export-behind-ingress');
    expect(second.receiver.requests.at(-1)?.headers.authorization).toBe('Bearer s3cr3t');
    await second.helm('upgrade', { ...all, settings: { ...all.settings, logLevel: 'debug' } });
    await insertEntries(second.db, numbered(1));
    // Each release follows its own namespace, database and receiver.
    expect((await expectWhole(second)).repeats).toBe(0);
    expect((await expectWhole(first)).repeats).toBe(0);
  });

  test('is uninstalled: what people made stays', { timeout: 120_000 }, async () => {
    for (const { helm, kubectl, namespace } of [first, second]) {
      await helm('uninstall');
      await waitFor(async () => (await kubectl('get pods -o name')) === '', {
        timeoutMs: 60_000,
        pollMs: 200,
      });
      const own = 'deployments,jobs,services,serviceaccounts,poddisruptionbudgets,ingresses,networkpolicies';
      expect(await kubectl(`get ${own} -o name`)).not.toContain('trail');
      expect(await kubectl('get clusterroles,clusterrolebindings -o name')).not.toContain(
        `trail-audit-export.${namespace}`,
      );
    }
    expect(await first.kubectl('get aec -o name')).toBe('auditexportconfig.auditexport.dev/acme\n');
    expect(await second.kubectl('get aec -o name')).toBe('auditexportconfig.auditexport.dev/acme-siem\n');
  });
  test('works where a network policy denies everything but what the chart allows', {
    timeout: 120_000,
  }, async () => {
    const release = await prepareRelease(node, postgres, { namespace: 'denied' });
    onTestFinished(release.stop);
    await enforcePolicies(node);
    const { kubectl, helm, values, receiver, db } = release;
    await kubectl(
      'apply -f -',
      JSON.stringify({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'default-deny' },
        spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
      }),
    );
    const portOf = (url: string) => Number(new URL(url).port);
    await helm('install', {
      ...values,
      crds: { enabled: false },
      configs: { watchNamespace: release.namespace },
      networkPolicy: {
        enabled: true,
        egress: {
          database: { ports: Object.values(release.databaseUrls).map(portOf) },
          apiServer: { ports: [portOf(node.cluster.url)] },
          receivers: { ports: [portOf(release.endpoint)] },
        },
      },
    });
    expect(await helm('test --logs')).toContain('It is ready');
    await release.applyConfig();
    await insertEntries(db, numbered(3));
    await receiver.waitFor((r) => r.ledger.storedCount === 3, 30_000);
    // It is enforced: whatever else listens there cannot be reached from its pods.
    const connect = (url: string) => {
      const { hostname, port } = new URL(url);
      const script = `net.connect(${port},'${hostname}',()=>process.exit(0)).on('error',({code})=>{console.log(code);process.exit(1)})`;
      return kubectl(`exec deployment/trail-audit-export -- node -e ${script}`);
    };
    await connect(release.endpoint);
    await expect(connect(await release.reach(receiver.endpoint))).rejects.toThrow('ECONNREFUSED');
  });
});
