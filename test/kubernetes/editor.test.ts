/** What the page saves in a cluster, beside kubectl and others, with the rights that are shipped. */
import { describe, expect, it } from 'vitest';
import type { ConfigEditor } from '../../src/configs/configEditor.ts';
import { Secret } from '../../src/model/secret.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { makeStatus } from '../configs/configDirectory.ts';
import { demand, draftOf, header, makeDraft, problemsOf, readOnly } from '../configs/editorDrafts.ts';
import { makeCertificateAuthority } from '../tools/certificates.ts';
import { type Cluster, isClusterMissing, useCluster } from '../tools/cluster.ts';
import {
  applyConfig,
  applySecret,
  crd,
  makeSpec,
  secretHeader,
  startSource,
  type TestSource,
  tokenOf,
} from './harness.ts';
import { allowCollector, kubernetesRules, pageRules } from './rights.ts';

const apiTimeout = '/apis/auditexport.dev/v1';

interface Page extends TestSource {
  readonly editor: ConfigEditor;
}

async function startPage(
  cluster: Cluster,
  rules: readonly unknown[] = [...kubernetesRules, ...pageRules],
  cell?: { readonly namespace?: string; readonly labels: Readonly<Record<string, string>> },
): Promise<Page> {
  const namespace = cell?.namespace ?? (await cluster.createNamespace());
  await allowCollector(cluster, namespace, false, rules);
  const kubeconfig = await cluster.kubeconfigFor(await cluster.tokenFor('collector', namespace), namespace);
  const own = cell ? { rules: { labels: cell.labels } } : {};
  const started = await startSource(cluster, { namespace, kubeconfig, ...own });
  const { editor } = started.source;
  if (editor === undefined) throw new Error('no editor');
  return { ...started, editor };
}

interface Stored {
  readonly metadata: Record<string, unknown> & { readonly uid: string; readonly generation: number };
  readonly spec: Record<string, unknown> & {
    readonly headers: ReadonlyArray<{
      name: string;
      valueFrom?: { secretKeyRef: { name: string; key: string } };
    }>;
  };
}

async function readStored(cluster: Cluster, namespace: string, name: string): Promise<Stored> {
  const { body } = await cluster.request({
    path: `${apiTimeout}/namespaces/${namespace}/auditexportconfigs/${name}`,
  });
  return body as unknown as Stored;
}

/** Names of Secrets, with the text of each key. */
async function readSecrets(
  cluster: Cluster,
  namespace: string,
): Promise<Record<string, Record<string, string>>> {
  const { body } = await cluster.request({ path: `/api/v1/namespaces/${namespace}/secrets` });
  const items = body['items'] as Array<{ metadata: { name: string }; data?: Record<string, string> }>;
  return Object.fromEntries(
    items.map(({ metadata, data = {} }) => [
      metadata.name,
      Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
      ),
    ]),
  );
}

describe.skipIf(isClusterMissing())('the page in a cluster', () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });

  it('makes a config and its Secret, which goes with it', async () => {
    const { current } = cluster;
    const { editor, namespace, waitForState, logs } = await startPage(current);
    const draft = makeDraft({ headers: [header('Authorization', 'Bearer hush-1')], maxBatchSize: '7' });
    const id = demand(await editor.create(draft));
    expect(id).toEqual({ namespace, name: 'acme-otel-example-com' });

    const listed = await readOnly(editor);
    const stored = await readStored(current, namespace, id.name);
    expect(listed).toMatchObject({
      id,
      key: stored.metadata.uid,
      spec: {
        organization: 'acme',
        maxBatchSize: 7,
        headers: [{ name: 'Authorization', source: 'page', reference: null }],
      },
      owners: new Map(),
      readOnly: null,
      problems: [],
    });
    expect(Object.values(await readSecrets(current, namespace))).toEqual([
      { [stored.spec.headers[0]?.valueFrom?.secretKeyRef.key ?? '']: 'Bearer hush-1' },
    ]);
    const secret = await current.request({
      path: `/api/v1/namespaces/${namespace}/secrets/acme-otel-example-com-audit-export`,
    });
    expect(secret.body['metadata']).toMatchObject({
      labels: { 'app.kubernetes.io/managed-by': 'audit-export-page' },
      ownerReferences: [{ kind: 'AuditExportConfig', name: id.name, uid: stored.metadata.uid }],
    });
    const running = await waitForState(id.name, ({ kind }) => kind === 'valid');
    expect(tokenOf(running)).toBe('Bearer hush-1');
    expect(JSON.stringify([listed, logs()])).not.toContain('hush');
  });

  it('keeps to the configs with its labels, and gives them to what it adds and changes', async () => {
    const { current } = cluster;
    const allowed = [...kubernetesRules, ...pageRules];
    const eu = await startPage(current, allowed, { labels: { 'auditexport.dev/cell': 'eu', tier: 'gold' } });
    const { namespace } = eu;
    const us = await startPage(current, allowed, { namespace, labels: { 'auditexport.dev/cell': 'us' } });
    await applyConfig(current, namespace, 'of-us', makeSpec(), { labels: { 'auditexport.dev/cell': 'us' } });
    await applyConfig(current, namespace, 'of-nobody');
    await us.waitForState('of-us', ({ kind }) => kind === 'valid');
    demand(await eu.editor.create(makeDraft({ name: 'siem' })));
    await eu.waitForState('siem', ({ kind }) => kind === 'valid');
    const names = async (page: Page) => demand(await page.editor.list('acme')).map(({ id }) => id.name);
    expect([await names(eu), await names(us)]).toEqual([['siem'], ['of-us']]);
    // A name is taken, whoever has it.
    expect(demand(await eu.editor.create(makeDraft({ name: 'of-us' }))).name).not.toBe('of-us');

    const made = demand(await eu.editor.list('acme')).find(({ id }) => id.name === 'siem');
    if (!made) throw new Error('nothing listed');
    demand(await eu.editor.update(made.id, draftOf(made, { maxBatchSize: '9' }), made.revision));
    const stored = await readStored(current, namespace, 'siem');
    expect(stored.metadata['labels']).toEqual({ 'auditexport.dev/cell': 'eu', tier: 'gold' });
    expect(stored.spec['maxBatchSize']).toBe(9);

    // It moves with its label.
    await applyConfig(current, namespace, 'of-us', makeSpec(), {
      labels: { 'auditexport.dev/cell': 'eu', tier: 'gold' },
    });
    await eu.waitForState('of-us', ({ kind }) => kind === 'valid');
    await waitFor(() => us.states()?.size === 0);
  });

  it('shows to kubectl what was saved, with its manager', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    demand(await editor.create(makeDraft({ name: 'siem', timeoutSeconds: '20' })));
    const { stdout } = await current.kubectl([
      'get',
      'aec',
      'siem',
      '-n',
      namespace,
      '-o',
      'yaml',
      '--show-managed-fields',
    ]);
    expect(stdout).toContain('timeoutSeconds: 20');
    expect(stdout).toMatch(/manager: audit-export-page\n\s+operation: Apply/);
    // What it did not say is not its own: kubectl may.
    expect(stdout).not.toContain('f:maxBatchSize');
  });

  it('leaves to kubectl what kubectl has said, and changes the rest', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    const manifest = JSON.stringify({
      apiVersion: 'auditexport.dev/v1',
      kind: 'AuditExportConfig',
      metadata: { name: 'siem', namespace },
      spec: makeSpec({ compression: 'gzip', headers: [{ name: 'X-Team', value: 'red' }] }),
    });
    const apply = async () => {
      const { exitCode, stderr } = await current.kubectl(['apply', '-f', '-'], { input: manifest });
      expect([exitCode, stderr]).toEqual([0, '']);
    };
    await apply();
    const before = await readOnly(editor);
    expect(Object.fromEntries(before.owners)).toEqual({
      organization: 'kubectl',
      endpoint: 'kubectl',
      compression: 'kubectl',
      headers: 'kubectl',
      'headers.0': 'kubectl',
    });
    const refused = await editor.update(
      before.id,
      draftOf(before, { endpoint: 'https://other.example.com' }),
      before.revision,
    );
    expect(refused).toEqual({
      kind: 'refused',
      reason: 'spec.endpoint is managed by kubectl: change it there, or remove it from what kubectl applies.',
    });
    expect(await editor.update(before.id, draftOf(before, { headers: [] }), before.revision)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('spec.headers[0] (X-Team) is managed by kubectl'),
    });
    // kubectl would send its own list with the next apply, and the new header would be gone.
    const headers = [...draftOf(before).headers, header('Authorization', 'Bearer x')];
    expect(await editor.update(before.id, draftOf(before, { headers }), before.revision)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('spec.headers (Authorization) is managed by kubectl'),
    });
    expect(await readSecrets(current, namespace)).toEqual({});
    demand(await editor.update(before.id, draftOf(before, { maxBatchSize: '5' }), before.revision));
    demand(await editor.setSuspended('acme', before.id, true));

    // Neither takes back from the other what it has said.
    await apply();
    const after = await readOnly(editor);
    expect(after.spec).toMatchObject({ maxBatchSize: 5, suspend: true });
    expect([...after.owners.keys()]).toEqual([...before.owners.keys()]);
    expect(await editor.remove('acme', after.id, after.revision)).toEqual({
      kind: 'refused',
      reason: `${namespace}/siem is managed by kubectl: delete it there.`,
    });
  });

  it('adds a header where kubectl has said none, and keeps it through the next apply', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    const input = JSON.stringify({
      apiVersion: 'auditexport.dev/v1',
      kind: 'AuditExportConfig',
      metadata: { name: 'siem', namespace },
      spec: makeSpec(),
    });
    for (const args of [['apply'], ['apply', '--server-side', '--force-conflicts']]) {
      await current.kubectl([...args, '-f', '-'], { input });
      const before = await readOnly(editor);
      const headers = [...draftOf(before).headers, header(`X-${args.length}`, 'x')];
      demand(await editor.update(before.id, draftOf(before, { headers }), before.revision));
      await current.kubectl([...args, '-f', '-'], { input });
    }
    expect((await readOnly(editor)).spec.headers.map(({ name }) => name)).toEqual(['X-1', 'X-3']);
  });

  it('names whoever applies on the server', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    await applyConfig(current, namespace, 'siem', makeSpec({ maxBatchSize: 1000 }));
    const config = await readOnly(editor);
    expect(Object.fromEntries(config.owners)).toEqual({
      organization: 'tests',
      endpoint: 'tests',
      maxBatchSize: 'tests',
    });
    expect(
      await editor.update(config.id, draftOf(config, { maxBatchSize: '1' }), config.revision),
    ).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('spec.maxBatchSize is managed by tests'),
    });
  });

  it('takes for said what others have written, but not the defaults that came with it', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    // As Helm 3 writes: no apply, and no record of what was said.
    await current.request({
      method: 'POST',
      path: `${apiTimeout}/namespaces/${namespace}/auditexportconfigs?fieldManager=helm`,
      body: {
        apiVersion: 'auditexport.dev/v1',
        kind: 'AuditExportConfig',
        metadata: { name: 'siem' },
        spec: makeSpec({ timeoutSeconds: 30 }),
      },
    });
    const config = await readOnly(editor);
    expect(Object.fromEntries(config.owners)).toEqual({
      organization: 'helm',
      endpoint: 'helm',
      timeoutSeconds: 'helm',
    });
    const headers = [header('X-Token', 'one')];
    demand(await editor.update(config.id, draftOf(config, { maxBatchSize: '1', headers }), config.revision));
    expect(await readOnly(editor)).toMatchObject({ spec: { maxBatchSize: 1 }, owners: config.owners });
  });

  it('tells the second of two who save at once, and overwrites nothing', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    demand(await editor.create(makeDraft({ name: 'siem', headers: [header('X-Token', 'zero')] })));
    const shown = await readOnly(editor);
    const sizes = ['11', '12', '13', '14'];
    const results = await Promise.all(
      sizes.map((size) =>
        editor.update(
          shown.id,
          draftOf(shown, { maxBatchSize: size, headers: [header('X-Token', `token-${size}`)] }),
          shown.revision,
        ),
      ),
    );
    expect(results.map(({ kind }) => kind).toSorted()).toEqual([
      'changed-meanwhile',
      'changed-meanwhile',
      'changed-meanwhile',
      'ok',
    ]);
    const size = sizes[results.findIndex(({ kind }) => kind === 'ok')];
    const after = await readOnly(editor);
    expect(String(after.spec.maxBatchSize)).toBe(size);
    expect(results.find(({ kind }) => kind === 'changed-meanwhile')).toMatchObject({
      current: { revision: after.revision },
    });
    // Of the others nothing is left.
    expect(Object.values((await readSecrets(current, namespace))['siem-audit-export'] ?? {})).toEqual([
      `token-${size}`,
    ]);
  });

  it('saves while status is written, which is no change of the config', async () => {
    const { current } = cluster;
    const { editor, source, waitForState } = await startPage(current);
    demand(await editor.create(makeDraft({ name: 'siem' })));
    const shown = await readOnly(editor);
    await waitForState('siem', ({ kind }) => kind === 'valid');
    let written = 0;
    const writing = (async () => {
      for (; written < 40; written++) {
        await source.writeStatus(shown.key ?? '', makeStatus({ pendingEntries: written }));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    demand(await editor.update(shown.id, draftOf(shown, { maxBatchSize: '3' }), shown.revision));
    await writing;
    await waitFor(async () => (await readOnly(editor)).status !== null);
    const after = await readOnly(editor);
    expect(after.spec.maxBatchSize).toBe(3);
    demand(await editor.update(after.id, draftOf(after, { maxBatchSize: '4' }), after.revision));
  });

  it('switches to a new value of a header at once, and forgets the old one', async () => {
    const { current } = cluster;
    const { editor, namespace, waitForState } = await startPage(current);
    const headers = [header('X-Token', 'one'), header('X-Other', 'other')];
    demand(await editor.create(makeDraft({ name: 'siem', headers })));
    await waitForState('siem', (state) => tokenOf(state) === 'one');
    const shown = await readOnly(editor);
    const rotated = [header('X-Token', 'two'), { name: 'X-Other', value: 'kept' as const }];
    demand(await editor.update(shown.id, draftOf(shown, { headers: rotated }), shown.revision));
    await waitForState('siem', (state) => state.kind === 'valid' && tokenOf(state) === 'two', 5_000);
    expect(
      Object.values((await readSecrets(current, namespace))['siem-audit-export'] ?? {}).toSorted(),
    ).toEqual(['other', 'two']);
    // The form of before knows nothing of it: it must not come back.
    expect(await editor.update(shown.id, draftOf(shown), shown.revision)).toMatchObject({
      kind: 'changed-meanwhile',
    });

    const now = await readOnly(editor);
    demand(await editor.update(now.id, draftOf(now, { headers: [] }), now.revision));
    expect(await readSecrets(current, namespace)).toEqual({});
    expect((await readStored(current, namespace, 'siem')).spec.headers).toEqual([]);
  });

  it('keeps a value in the Secret of somebody else, and moves a new one into its own', async () => {
    const { current } = cluster;
    const { editor, namespace, waitForState } = await startPage(current);
    await applySecret(current, namespace, 'mine', { token: 'theirs' });
    await applyConfig(current, namespace, 'siem', makeSpec(secretHeader('mine')));
    const shown = await readOnly(editor);
    expect(shown.spec.headers).toEqual([{ name: 'X-Token', source: 'secret', reference: 'mine/token' }]);
    const draft = draftOf(shown, { timeoutSeconds: '9' });
    expect(demand(await editor.resolve(draft)).headers[0]?.value.reveal()).toBe('theirs');
    demand(await editor.update(shown.id, draft, shown.revision));
    expect(tokenOf(await waitForState('siem', ({ kind }) => kind === 'valid'))).toBe('theirs');
    expect(Object.keys(await readSecrets(current, namespace))).toEqual(['mine']);
  });

  it('never touches a Secret without its label', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    await applySecret(current, namespace, 'siem-audit-export', { token: 'theirs' });
    const result = await editor.create(makeDraft({ name: 'siem', headers: [header('X-Token', 'ours')] }));
    expect(result).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining(`Secret ${namespace}/siem-audit-export is not the page's`),
    });
    expect(await readSecrets(current, namespace)).toEqual({ 'siem-audit-export': { token: 'theirs' } });
    expect(demand(await editor.list('acme'))).toEqual([]);
  });

  it('deletes a config with its Secrets, unless it has changed since', async () => {
    const { current } = cluster;
    const { editor, namespace, states } = await startPage(current);
    const id = demand(await editor.create(makeDraft({ name: 'siem', headers: [header('X-Token', 'one')] })));
    const shown = await readOnly(editor);
    await waitFor(() => states()?.size === 1);
    demand(await editor.setSuspended('acme', id, true));
    expect(await editor.remove('acme', id, shown.revision)).toMatchObject({
      kind: 'changed-meanwhile',
      current: { spec: { suspend: true } },
    });
    const now = await readOnly(editor);
    demand(await editor.remove('acme', id, now.revision));
    expect(demand(await editor.list('acme'))).toEqual([]);
    expect(await readSecrets(current, namespace)).toEqual({});
    expect(await editor.remove('acme', id, now.revision)).toEqual({ kind: 'gone' });
    expect(await editor.update(id, draftOf(now), now.revision)).toEqual({ kind: 'gone' });
    await waitFor(() => states()?.size === 0);
  });

  it('asks for another try without a change of the config', async () => {
    const { current } = cluster;
    const { editor, waitForState } = await startPage(current);
    const id = demand(await editor.create(makeDraft({ name: 'siem', maxBatchSize: '5' })));
    const { revision } = await readOnly(editor);
    demand(await editor.tryAgain('acme', id));
    const asked = await waitForState(
      'siem',
      (state) => state.kind === 'valid' && state.config.reconcileAt !== undefined,
    );
    demand(await editor.tryAgain('acme', id));
    await waitForState(
      'siem',
      (state) =>
        state.kind === 'valid' &&
        asked.kind === 'valid' &&
        state.config.reconcileAt !== asked.config.reconcileAt,
    );
    expect(await readOnly(editor)).toMatchObject({ revision, spec: { maxBatchSize: 5 } });
  });

  it('knows nothing of other organizations, and of no name that leads elsewhere', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    await applyConfig(current, namespace, 'theirs', makeSpec({ organization: 'a,b=c\\d' }));
    const id = { namespace, name: 'theirs' };
    expect(demand(await editor.list('acme'))).toEqual([]);
    expect(demand(await editor.list('a,b=c\\d'))).toHaveLength(1);
    expect(demand(await editor.read('acme', id))).toBeNull();
    expect(await editor.setSuspended('acme', id, true)).toEqual({ kind: 'gone' });
    expect(await editor.resolve(makeDraft({ id }))).toEqual({ kind: 'gone' });
    for (const name of ['../x', 'a/b', '', '.', 'a?b', 'A']) {
      expect(demand(await editor.read('acme', { namespace, name }))).toBeNull();
      expect(await editor.tryAgain('acme', { namespace: name, name: 'x' })).toEqual({ kind: 'gone' });
    }
    expect(Object.keys(problemsOf(await editor.create(makeDraft({ name: '../x' }))))).toEqual(['name']);
  });

  it('takes no name twice, and finds one that is free when none is given', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    const results = await Promise.all(
      ['1', '2', '3'].map((size) => editor.create(makeDraft({ name: 'siem', maxBatchSize: size }))),
    );
    expect(results.map(({ kind }) => kind).toSorted()).toEqual(['invalid', 'invalid', 'ok']);
    expect(problemsOf(results.find(({ kind }) => kind === 'invalid') ?? { kind: 'gone' })).toEqual({
      name: `is "siem", which is taken in namespace ${namespace}: choose another one`,
    });
    const names = [];
    for (let count = 0; count < 3; count++) names.push(demand(await editor.create(makeDraft())).name);
    expect(names).toEqual(['acme-otel-example-com', 'acme-otel-example-com-2', 'acme-otel-example-com-3']);
  });

  it('says which right is missing, and leaves nothing half made', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current, kubernetesRules);
    const draft = makeDraft({ name: 'siem', headers: [header('X-Token', 'one')] });
    expect(await editor.create(draft)).toEqual({
      kind: 'refused',
      reason: `The collector may not create secrets in namespace ${namespace}: bind its ServiceAccount to the role audit-export-page (crds/rbac.yaml), or make the change with kubectl.`,
    });
    await applyConfig(current, namespace, 'theirs');
    const shown = await readOnly(editor);
    const wanted = `The collector may not patch auditexportconfigs.auditexport.dev in namespace ${namespace}: bind`;
    for (const result of [
      await editor.update(shown.id, draftOf(shown, { maxBatchSize: '3' }), shown.revision),
      await editor.setSuspended('acme', shown.id, true),
      await editor.tryAgain('acme', shown.id),
    ]) {
      expect(result).toMatchObject({ kind: 'refused', reason: expect.stringContaining(wanted) });
    }
    // Secrets only: the config cannot be made, so nothing is.
    await allowCollector(current, namespace, false, [...kubernetesRules, ...pageRules.slice(1)]);
    await waitFor(async () => {
      const result = await editor.create(draft);
      return result.kind === 'refused' && result.reason.includes('auditexportconfigs');
    });
    expect(await readSecrets(current, namespace)).toEqual({});
  });

  it('quotes the policy of a cluster that refuses', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    const name = `deny-${namespace}`;
    await current.apply(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: ${name}}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [auditexport.dev], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [auditexportconfigs]}]
  validations: [{expression: "object.spec.endpoint.startsWith('https://allowed.')", message: "only allowed receivers"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: ${name}}
spec:
  policyName: ${name}
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${namespace}}}}
`);
    await waitFor(async () => {
      const result = await editor.create(makeDraft());
      if (result.kind === 'ok') await editor.remove('acme', result.value, (await readOnly(editor)).revision);
      return result.kind === 'refused' && result.reason.includes('only allowed receivers');
    });
  });

  it('takes a config back when its Secret is refused after all, and does not repeat the value', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    const name = `deny-secrets-${namespace}`;
    await current.apply(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: ${name}}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [secrets]}]
  validations:
    - expression: "request.dryRun == true"
      messageExpression: "'no such Secret: ' + object.data.map(key, object.data[key])[0]"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: ${name}}
spec:
  policyName: ${name}
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${namespace}}}}
`);
    const draft = makeDraft({ name: 'siem', headers: [header('X-Token', 'hush-hush')] });
    const refused = await waitFor(async () => {
      const result = await editor.create(draft);
      if (result.kind === 'ok') await editor.remove('acme', result.value, (await readOnly(editor)).revision);
      return result.kind === 'refused' ? result : undefined;
    });
    expect(refused.reason).toContain('no such Secret: [secret]');
    expect(demand(await editor.list('acme'))).toEqual([]);
    expect(await readSecrets(current, namespace)).toEqual({});
  });

  it('keeps certificates in Secrets, and puts a new client certificate into a new one', async () => {
    const { current } = cluster;
    const { editor, namespace, waitForState } = await startPage(current);
    const authority = makeCertificateAuthority();
    const [one, two] = [authority.issue(['one']), authority.issue(['two'])];
    const setTo = ({ cert, key }: typeof one) => ({ set: { cert, key: new Secret(key) } });
    const ca = { 'tls.caSecretRef': { set: authority.cert } };
    const mixed = setTo({ cert: one.cert, key: two.key });
    expect(problemsOf(await editor.create(makeDraft({ ...ca, 'tls.clientCertSecretRef': mixed })))).toEqual({
      'tls.clientCertSecretRef.key': expect.stringMatching(/^does not belong to the first certificate/),
    });
    const pair = { 'tls.clientCertSecretRef': setTo(one) };
    demand(await editor.create(makeDraft({ name: 'siem', ...ca, ...pair })));
    const runs = (cert: string) =>
      waitForState(
        'siem',
        (state) => state.kind === 'valid' && state.config.destination.tls.clientCert?.cert === cert,
      );
    await runs(one.cert);
    const shown = await readOnly(editor);
    expect(shown.spec).toMatchObject({ 'tls.caSecretRef': true, 'tls.clientCertSecretRef': true });
    const rotated = draftOf(shown, { 'tls.clientCertSecretRef': setTo(two) });
    expect(demand(await editor.resolve(rotated)).tls).toMatchObject({
      ca: authority.cert,
      clientCert: { cert: two.cert },
    });
    demand(await editor.update(shown.id, rotated, shown.revision));
    await runs(two.cert);
    const names = Object.keys(await readSecrets(current, namespace)).toSorted();
    expect(names).toEqual([
      'siem-audit-export',
      expect.stringMatching(/^siem-audit-export-tls-[0-9a-f]{6}$/),
    ]);
    const now = await readOnly(editor);
    demand(await editor.remove('acme', now.id, now.revision));
    expect(await readSecrets(current, namespace)).toEqual({});
  });

  it('says of each field what is wrong, without a secret, and writes nothing', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    const draft = makeDraft({
      endpoint: 'ftp://x',
      maxBatchSize: 'many',
      timeoutSeconds: '',
      headers: [
        header('X-A', 'hush\nhush'),
        header('x-a', 'hush'),
        header('', 'hush'),
        { name: 'Y', value: 'kept' },
      ],
      'filter.eventTypes': [''],
    });
    const problems = problemsOf(await editor.create(draft));
    expect(Object.keys(problems).toSorted()).toEqual([
      'endpoint',
      'filter.eventTypes.0',
      'headers.1.name',
      'headers.2.name',
      'headers.3.value',
      'maxBatchSize',
      'timeoutSeconds',
    ]);
    expect(problems['maxBatchSize']).toBe('is "many": it must be a whole number from 1 to 1000');
    const secretProblems = problemsOf(
      await editor.create(
        makeDraft({
          headers: [header('X-A', 'hush\nhush'), header('X-B', '')],
          'tls.caSecretRef': { set: 'hush' },
        }),
      ),
    );
    expect(secretProblems).toEqual({
      'headers.0.value': 'has a line break inside: a header is one line, so remove it',
      'headers.1.value': 'is empty: put the value of the header into it',
      'tls.caSecretRef': 'has no certificate: put PEM with "BEGIN CERTIFICATE" into it',
    });
    expect(await readSecrets(current, namespace)).toEqual({});
    expect(JSON.stringify([problems, secretProblems])).not.toContain('hush');
  });

  it('says that the API server is away, and that the cluster does not know the resource', async () => {
    const { current } = cluster;
    const { editor, namespace } = await startPage(current);
    await current.stopApiServer();
    const away = await editor.list('acme');
    await current.startApiServer();
    expect(away).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringMatching(
        /^The Kubernetes API server cannot be used \(.+\): a change may not have been saved, so try again\.$/,
      ),
    });
    await current.request({
      method: 'DELETE',
      path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/auditexportconfigs.auditexport.dev',
    });
    const wanted = {
      kind: 'refused',
      reason:
        'The cluster does not know AuditExportConfig (auditexport.dev/v1): install its CRD, by the chart or from crds/.',
    };
    await waitFor(async () => (await editor.list('acme')).kind === 'refused');
    expect(await editor.list('acme')).toEqual(wanted);
    expect(await editor.read('acme', { namespace, name: 'x' })).toEqual(wanted);
    expect(await editor.create(makeDraft({ name: 'x' }))).toEqual(wanted);
  });
});
