/** What the page saves into a directory of manifests. */
import { execFile } from 'node:child_process';
import { chmodSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { ConfigEditor } from '../../src/configs/configEditor.ts';
import { waitFor } from '../../tools/waitFor.ts';
import {
  type ConfigDirectory,
  type Following,
  follow,
  makeConfigDirectory,
  makeStatus,
  manifest,
  validConfig,
} from './configDirectory.ts';
import { demand, draftOf, header, makeDraft, problemsOf, readOnly } from './editorDrafts.ts';

const configKey = 'directory/default/siem';

const commented = `# Exports of Acme.

apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata:
  name: siem # as in the wiki
spec:
  # Ask Ada before you change it.
  endpoint: "https://otel.example.com"
  organization: acme
  headers:
  - name: X-Team # ours
    value: red
  # rotated in March
  - name: X-Token
    value: hush
  maxBatchSize: 5 # small
---
# nothing here
`;

interface Page extends Following {
  readonly directory: ConfigDirectory;
  readonly editor: ConfigEditor;
}

async function startPage(files: Record<string, string> = {}): Promise<Page> {
  const directory = makeConfigDirectory(files);
  const following = await follow(directory.path);
  const { editor } = following.source;
  if (editor === undefined) throw new Error('no editor');
  return { ...following, directory, editor };
}

function secretFiles(directory: ConfigDirectory): Record<string, string | null> {
  const all = readdirSync(directory.path, { recursive: true, encoding: 'utf8' });
  const files = all.filter(
    (file) => file.startsWith('secrets/') && statSync(join(directory.path, file)).isFile(),
  );
  return Object.fromEntries(files.map((file) => [file, directory.read(file)]));
}

it('makes a manifest and its secret files, which only this user may read', async () => {
  const { editor, directory, states, logged } = await startPage();
  const draft = makeDraft({ headers: [header('Authorization', 'Bearer hush')], maxBatchSize: '7' });
  const id = demand(await editor.create(draft));
  expect(id).toEqual({ namespace: 'default', name: 'acme-otel-example-com' });
  const listed = await readOnly(editor);
  expect(listed).toMatchObject({
    id,
    key: 'directory/default/acme-otel-example-com',
    spec: { maxBatchSize: 7, headers: [{ name: 'Authorization', source: 'page', reference: null }] },
    readOnly: null,
    problems: [],
    status: null,
  });
  await waitFor(() => states().size === 1);
  const config = validConfig(states(), listed.key ?? '');
  expect(config.destination.headers[0]?.value.reveal()).toBe('Bearer hush');
  const [[file = '', text] = []] = Object.entries(secretFiles(directory));
  expect(text).toBe('Bearer hush');
  expect(statSync(join(directory.path, file)).mode & 0o777).toBe(0o600);
  expect(statSync(join(directory.path, 'secrets/acme-otel-example-com-audit-export')).mode & 0o777).toBe(
    0o700,
  );
  expect(
    JSON.stringify([listed, logged('info'), directory.read('acme-otel-example-com.yaml')]),
  ).not.toContain('hush');
});

it('changes what has changed, and leaves comments, order and the rest of the file', async () => {
  const { editor, directory, states } = await startPage({ 'mine.yaml': commented });
  const before = await readOnly(editor);
  const headers = [
    { name: 'X-Team', value: 'kept' as const },
    header('X-Token', 'new'),
    header('X-More', 'more'),
  ];
  const draft = draftOf(before, {
    headers,
    maxBatchSize: '6',
    'filter.projects': ['web'],
  });
  demand(await editor.update(before.id, draft, before.revision));
  const keys = Object.keys(secretFiles(directory)).map((file) =>
    file.replace('secrets/siem-audit-export/', ''),
  );
  const keyOf = (start: string) => keys.find((key) => key.startsWith(start));
  expect(directory.read('mine.yaml')).toBe(`# Exports of Acme.

apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata:
  name: siem # as in the wiki
spec:
  # Ask Ada before you change it.
  endpoint: "https://otel.example.com"
  organization: acme
  headers:
  - name: X-Team # ours
    value: red
  # rotated in March
  - name: X-Token
    valueFrom:
      secretKeyRef:
        name: siem-audit-export
        key: ${keyOf('x-token')}
  - name: X-More
    valueFrom:
      secretKeyRef:
        name: siem-audit-export
        key: ${keyOf('x-more')}
  maxBatchSize: 6 # small
  filter:
    projects:
    - web
---
# nothing here
`);
  await waitFor(
    () =>
      states().get(configKey)?.kind === 'valid' && validConfig(states(), configKey).spec.maxBatchSize === 6,
  );
  expect(validConfig(states(), configKey).destination.headers.map(({ value }) => value.reveal())).toEqual([
    'red',
    'new',
    'more',
  ]);

  const now = await readOnly(editor);
  demand(await editor.update(now.id, draftOf(now, { headers: [], 'filter.projects': [] }), now.revision));
  expect(directory.read('mine.yaml')).toMatch(/organization: acme\n {2}maxBatchSize: 6 # small/);
  expect(readdirSync(join(directory.path, 'secrets'))).toEqual([]);
});

it('keeps the rights of a file', async () => {
  const { editor, directory } = await startPage({ 'siem.yaml': manifest('siem') });
  chmodSync(join(directory.path, 'siem.yaml'), 0o640);
  demand(await editor.setSuspended('acme', { namespace: 'default', name: 'siem' }, true));
  expect(statSync(join(directory.path, 'siem.yaml')).mode & 0o777).toBe(0o640);
  expect((await readOnly(editor)).spec.suspend).toBe(true);
});

it('tells all but the first of those who save at once, and overwrites nothing', async () => {
  const { editor, directory } = await startPage({ 'siem.yaml': commented });
  const shown = await readOnly(editor);
  const sizes = ['11', '12', '13'];
  const results = await Promise.all(
    sizes.map((size) =>
      editor.update(
        shown.id,
        draftOf(shown, { maxBatchSize: size, headers: [header('X-Token', `token-${size}`)] }),
        shown.revision,
      ),
    ),
  );
  expect(results.map(({ kind }) => kind)).toEqual(['ok', 'changed-meanwhile', 'changed-meanwhile']);
  const after = await readOnly(editor);
  expect(after.spec.maxBatchSize).toBe(11);
  expect(results[1]).toMatchObject({ current: { revision: after.revision } });
  expect(Object.values(secretFiles(directory))).toEqual(['token-11']);
});

it('takes a new value of a header for a change, a comment or the status for none', async () => {
  const { editor, directory, source } = await startPage({ 'siem.yaml': commented });
  const { revision } = await readOnly(editor);
  directory.write('siem.yaml', `${commented.replace('# small', '# tiny')}`);
  await source.writeStatus(configKey, makeStatus({ pendingEntries: 3 }));
  demand(await editor.tryAgain('acme', { namespace: 'default', name: 'siem' }));
  expect(await readOnly(editor)).toMatchObject({ revision, status: { pendingEntries: 3 } });
  directory.write('siem.yaml', commented.replace('hush', 'hash'));
  expect((await readOnly(editor)).revision).not.toBe(revision);
});

it('asks for another try by the annotation', async () => {
  const { editor, states } = await startPage({ 'siem.yaml': commented });
  demand(await editor.tryAgain('acme', { namespace: 'default', name: 'siem' }));
  await waitFor(() => validConfig(states(), configKey).reconcileAt !== undefined);
});

it('shows the status of an earlier run', async () => {
  const { directory, source } = await startPage({ 'siem.yaml': manifest('siem') });
  await source.writeStatus(configKey, makeStatus({ pendingEntries: 3 }));
  await source.stop();
  const again = await follow(directory.path);
  expect(await again.source.editor?.list('acme')).toMatchObject({
    value: [{ status: { pendingEntries: 3 } }],
  });
});

it('deletes a manifest with its secret files, unless it has changed since', async () => {
  const { editor, directory, states } = await startPage();
  const id = demand(await editor.create(makeDraft({ name: 'siem', headers: [header('X-Token', 'one')] })));
  directory.write('secrets/other/token', 'theirs');
  const shown = await readOnly(editor);
  await waitFor(() => states().size === 1);
  demand(await editor.setSuspended('acme', id, true));
  expect(await editor.remove('acme', id, shown.revision)).toMatchObject({ kind: 'changed-meanwhile' });
  demand(await editor.remove('acme', id, (await readOnly(editor)).revision));
  await waitFor(() => states().size === 0);
  expect(secretFiles(directory)).toEqual({ 'secrets/other/token': 'theirs' });
  expect(await editor.remove('acme', id, shown.revision)).toEqual({ kind: 'gone' });
});

it('takes no name that is taken or leads elsewhere, and finds a free one', async () => {
  const { editor, directory } = await startPage({
    'other.yaml': manifest('siem', {}, { namespace: 'flows' }),
    'taken.yaml': 'not a manifest',
  });
  for (const name of ['../x', 'a/b', '.', '..', 'siem', 'taken', 'x.status', 'A', 'n'.repeat(201)]) {
    const headers = [header('X-Token', 'one')];
    expect(Object.keys(problemsOf(await editor.create(makeDraft({ name, headers }))))).toEqual(['name']);
  }
  expect(readdirSync(directory.path).toSorted()).not.toContain('x.status.yaml');
  expect(secretFiles(directory)).toEqual({});
  const made = await Promise.all([1, 2].map(() => editor.create(makeDraft())));
  expect(made.map(demand).map(({ name }) => name)).toEqual([
    'acme-otel-example-com',
    'acme-otel-example-com-2',
  ]);
  for (const name of ['../x', '', '..']) {
    expect(demand(await editor.read('acme', { namespace: 'default', name }))).toBeNull();
    expect(await editor.setSuspended('acme', { namespace: '../..', name }, true)).toEqual({ kind: 'gone' });
  }
});

it('asks once before a change that can be made, and before no other', async () => {
  const { editor } = await startPage({ 'siem.yaml': manifest('siem') });
  let asked = 0;
  const before = async () => {
    asked++;
    return { kind: 'ok', value: undefined } as const;
  };
  const shown = await readOnly(editor);
  await editor.create(makeDraft({ name: 'siem' }), before);
  await editor.create(makeDraft({ name: 'x.status' }), before);
  await editor.update(shown.id, draftOf(shown, { maxBatchSize: 'many' }), shown.revision, before);
  await editor.remove('acme', shown.id, 'another revision', before);
  demand(await editor.update(shown.id, draftOf(shown), shown.revision, before));
  expect(asked).toBe(0);
  demand(await editor.update(shown.id, draftOf(shown, { maxBatchSize: '3' }), shown.revision, before));
  expect(asked).toBe(1);
});

it('changes the file as it is now, when somebody has saved it in between', async () => {
  const { editor, directory } = await startPage({ 'siem.yaml': commented });
  const shown = await readOnly(editor);
  const saveElsewhere = (text: string) => async () => {
    directory.write('siem.yaml', text);
    return { kind: 'ok', value: undefined } as const;
  };
  const headers = [header('X-Token', 'new')];
  const renamed = commented.replace('kind: AuditExportConfig', 'kind: AuditExportConfig\nstatus: {}');
  demand(await editor.setSuspended('acme', shown.id, true, saveElsewhere(renamed)));
  expect(directory.read('siem.yaml')).toContain('status: {}');
  expect(directory.read('siem.yaml')).toContain('suspend: true');

  const now = await readOnly(editor);
  const bigger = commented.replace('maxBatchSize: 5', 'maxBatchSize: 50');
  const saved = await editor.update(now.id, draftOf(now, { headers }), now.revision, saveElsewhere(bigger));
  expect(saved).toMatchObject({ kind: 'changed-meanwhile', current: { spec: { maxBatchSize: 50 } } });
  expect(directory.read('siem.yaml')).toBe(bigger);
  expect(secretFiles(directory)).toEqual({});
});

it('knows nothing of other organizations', async () => {
  const { editor } = await startPage({ 'siem.yaml': manifest('siem', { organization: 'other' }) });
  const id = { namespace: 'default', name: 'siem' };
  expect(demand(await editor.list('acme'))).toEqual([]);
  expect(demand(await editor.read('acme', id))).toBeNull();
  expect(await editor.setSuspended('acme', id, true)).toEqual({ kind: 'gone' });
  expect(await editor.update(id, makeDraft({ id }), 'x')).toEqual({ kind: 'gone' });
  expect(await editor.resolve(makeDraft({ id }))).toEqual({ kind: 'gone' });
});

it('does not let startFrom change, nor a value be kept that is not there', async () => {
  const { editor } = await startPage({ 'siem.yaml': manifest('siem', { startFrom: 'Beginning' }) });
  const shown = await readOnly(editor);
  const draft = draftOf(shown, {
    startFrom: 'Now',
    headers: [{ name: 'X', value: 'kept' }],
    'tls.caSecretRef': 'kept',
  });
  expect(problemsOf(await editor.update(shown.id, draft, shown.revision))).toEqual({
    startFrom: 'cannot be changed: to begin elsewhere make another AuditExportConfig',
    'headers.0.value': 'is not stored under this name: enter it',
    'tls.caSecretRef': 'is not stored: enter one, or leave it out',
  });
});

it('says once what is wrong with a client certificate that is kept, though two keys are missing', async () => {
  const tls = { clientCertSecretRef: { name: 'pair' } };
  const { editor } = await startPage({ 'siem.yaml': manifest('siem', { tls }) });
  const resolved = await editor.resolve(draftOf(await readOnly(editor)));
  expect(resolved).toEqual({
    kind: 'invalid',
    problems: [
      {
        path: 'tls.clientCertSecretRef',
        complaint:
          'comes from Secret default/pair, which does not exist: create it with the key tls.crt, or correct the reference',
      },
    ],
  });
});

it('leaves a wrong manifest to whoever corrects it, also one that cannot be read any more', async () => {
  const { editor, directory } = await startPage({ 'siem.yaml': manifest('siem', { maxBatchSise: 5 }) });
  const wrong = await readOnly(editor);
  expect(wrong).toMatchObject({
    readOnly: 'siem.yaml is wrong, so it cannot be changed here: correct the file first.',
    problems: [expect.stringContaining('did you mean spec.maxBatchSize?')],
  });
  const refused = { kind: 'refused', reason: wrong.readOnly };
  expect(await editor.update(wrong.id, draftOf(wrong), wrong.revision)).toEqual(refused);
  expect(await editor.remove('acme', wrong.id, wrong.revision)).toEqual(refused);
  directory.write('siem.yaml', 'spec: [');
  expect(await readOnly(editor)).toMatchObject({ spec: { organization: 'acme' }, readOnly: wrong.readOnly });
});

it('refuses to change a text in which one field stands in many places', async () => {
  const text = `apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata: {name: siem, labels: {team: &team acme}}
spec: {organization: *team, endpoint: 'https://x.example.com', filter: &f {projects: &p [web], eventTypes: *p}}
`;
  const { editor, directory } = await startPage({ 'siem.yaml': text });
  const shown = await readOnly(editor);
  expect(shown.problems).toEqual([]);
  const draft = draftOf(shown, { 'filter.projects': ['app'] });
  expect(await editor.update(shown.id, draft, shown.revision)).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('anchors and aliases'),
  });
  expect(directory.read('siem.yaml')).toBe(text);
});

it('refuses to change a field that others are an alias of', async () => {
  const text = manifest('siem').replace('"spec":{', '"spec":{"timeoutSeconds": &n 10, "maxBatchSize": *n, ');
  const { editor, directory } = await startPage({ 'siem.yaml': text });
  const shown = await readOnly(editor);
  expect(shown.spec.maxBatchSize).toBe(10);
  const saved = await editor.update(shown.id, draftOf(shown, { timeoutSeconds: '20' }), shown.revision);
  expect(saved).toMatchObject({ kind: 'refused' });
  expect(directory.read('siem.yaml')).toBe(text);
});

it('says that nothing can be saved in a directory that cannot be written to, or through a link', async () => {
  const { editor, directory } = await startPage({
    'siem.yaml': manifest('siem'),
    'elsewhere/x.yaml': manifest('linked'),
  });
  symlinkSync('elsewhere/x.yaml', join(directory.path, 'linked.yaml'));
  expect(demand(await editor.list('acme')).map(({ readOnly: reason }) => reason)).toEqual([
    'linked.yaml is a link: change the manifest where it comes from.',
    null,
  ]);
  chmodSync(directory.path, 0o555);
  // access(2) asks for the real user, so it takes another process to be somebody else.
  const { list, create, suspend } = await asOrdinaryUser(directory.path);
  const reason = expect.stringMatching(
    /^The configuration directory cannot be written to .*change the manifests/,
  );
  expect(list.value?.map((config) => config.readOnly)).toEqual([reason, reason]);
  expect(create).toMatchObject({ kind: 'refused', reason });
  expect(suspend).toMatchObject({ kind: 'refused', reason });
});

interface Answers {
  readonly list: { readonly value?: ReadonlyArray<{ readonly readOnly: string | null }> };
  readonly create: unknown;
  readonly suspend: unknown;
}

async function asOrdinaryUser(path: string): Promise<Answers> {
  const at = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  const script = `
    import { FileStore } from ${at('../../src/configs/directory/store/fileStore.ts')};
    import { ManifestEditor } from ${at('../../src/configs/editor/manifestEditor.ts')};
    import { makeDraft, header } from ${at('./editorDrafts.ts')};
    const statusOf = async () => null;
    const store = new FileStore({ directory: ${JSON.stringify(path)}, statusOf, onWritten() {} });
    const editor = new ManifestEditor(store);
    const list = await editor.list('acme');
    const create = await editor.create(makeDraft({ headers: [header('X', 'y')] }));
    const suspend = await editor.setSuspended('acme', { namespace: 'default', name: 'siem' }, true);
    console.log(JSON.stringify({ list, create, suspend }));
  `;
  const user = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], user);
  return JSON.parse(stdout);
}
