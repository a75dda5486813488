/** What is stored and hidden goes where it was entered for, and nowhere else: by no save and by no test record. */
import { expect, it } from 'vitest';
import type { ConfigDraft, ConfigEditor, EditableConfig } from '../../src/configs/configEditor.ts';
import { Secret } from '../../src/model/secret.ts';
import { makeCertificateAuthority } from '../tools/certificates.ts';
import { type ConfigDirectory, follow, makeConfigDirectory, manifest } from './configDirectory.ts';
import { demand, draftOf, header, makeDraft, problemsOf, readOnly } from './editorDrafts.ts';

const token = 'hush-hush';

async function startEditor(
  files: Record<string, string> = {},
): Promise<{ editor: ConfigEditor; directory: ConfigDirectory }> {
  const directory = makeConfigDirectory(files);
  const { source } = await follow(directory.path);
  if (source.editor === undefined) throw new Error('no editor');
  return { editor: source.editor, directory };
}

async function save(
  draft: Partial<ConfigDraft> = {},
): Promise<{ editor: ConfigEditor; saved: EditableConfig }> {
  const { editor } = await startEditor();
  const headers = [header('Authorization', token)];
  demand(
    await editor.create(
      makeDraft({ name: 'siem', endpoint: 'https://otel.example.com:4318', headers, ...draft }),
    ),
  );
  return { editor, saved: await readOnly(editor) };
}

/** Both ways that a value could leave. */
async function ask(
  editor: ConfigEditor,
  saved: EditableConfig,
  draft: ConfigDraft,
): Promise<Array<Record<string, string>>> {
  return [
    problemsOf(await editor.resolve(draft)),
    problemsOf(await editor.update(saved.id, draft, saved.revision)),
  ];
}

it.each([
  ['another host', { endpoint: 'https://collector.example.net:4318' }],
  ['a name below it', { endpoint: 'https://x.otel.example.com:4318' }],
  ['another port', { endpoint: 'https://otel.example.com' }],
  ['http', { endpoint: 'http://otel.example.com:4318' }],
  ['a dot behind the host', { endpoint: 'https://otel.example.com.:4318' }],
  ['its address', { endpoint: 'https://192.0.2.10:4318' }],
  ['its host in the path', { endpoint: 'https://collector.example.net/otel.example.com:4318' }],
  ['no verification', { 'tls.insecureSkipVerify': true }],
  ['another name', { 'tls.serverName': 'a.example.net' }],
] as const)('asks for the value again for %s', async (_what, changes) => {
  const { editor, saved } = await save();
  for (const problems of await ask(editor, saved, draftOf(saved, changes))) {
    expect(problems).toEqual({
      'headers.0.value': 'was saved for otel.example.com:4318: enter it again',
    });
  }
  expect(await readOnly(editor)).toEqual(saved);
});

it.each([
  ['another path', 'https://otel.example.com:4318/v1/other?x=1'],
  ['capitals', 'HTTPS://OTEL.example.COM:4318'],
  ['zeros before the port', 'https://otel.example.com:04318'],
])('keeps the value with %s', async (_what, endpoint) => {
  const { editor, saved } = await save();
  const { headers } = demand(await editor.resolve(draftOf(saved, { endpoint })));
  expect(headers[0]?.value.reveal()).toBe(token);
  demand(await editor.update(saved.id, draftOf(saved, { endpoint }), saved.revision));
});

it('takes a value that is entered again, and no other that is kept beside it', async () => {
  const headers = [header('Authorization', token), header('X-Tenant', 'blue')];
  const { editor, saved } = await save({ headers });
  const draft = draftOf(saved, {
    endpoint: 'https://collector.example.net',
    headers: [header('authorization', 'another'), { name: 'x-tenant', value: 'kept' }],
  });
  for (const problems of await ask(editor, saved, draft))
    expect(Object.keys(problems)).toEqual(['headers.1.value']);
});

it('has no value left for a second step, once the endpoint was changed without it', async () => {
  const { editor, saved } = await save();
  const away = draftOf(saved, { endpoint: 'https://collector.example.net', headers: [] });
  demand(await editor.update(saved.id, away, saved.revision));
  const now = await readOnly(editor);
  const back = draftOf(now, { headers: [{ name: 'Authorization', value: 'kept' }] });
  for (const problems of await ask(editor, now, back)) {
    expect(problems['headers.0.value']).toContain('is not stored under this name');
  }
});

it('asks again when verification comes back with another authority', async () => {
  const authority = makeCertificateAuthority();
  const client = authority.issue(['client.example.com']);
  const pair = { set: { cert: client.cert, key: new Secret(client.key) } };
  const { editor, saved } = await save({
    'tls.caSecretRef': { set: authority.cert },
    'tls.clientCertSecretRef': pair,
  });
  for (const replaced of ['none', { set: makeCertificateAuthority().cert }] as const) {
    const draft = draftOf(saved, { 'tls.caSecretRef': replaced });
    for (const problems of await ask(editor, saved, draft)) {
      expect(Object.keys(problems).sort()).toEqual(['headers.0.value', 'tls.clientCertSecretRef']);
    }
  }
  const elsewhere = draftOf(saved, { endpoint: 'https://collector.example.net', headers: [] });
  for (const problems of await ask(editor, saved, elsewhere)) {
    expect(problems).toEqual({
      'tls.clientCertSecretRef': 'was saved for otel.example.com:4318: enter it and its private key again',
    });
  }
});

it('keeps values when verification is turned on', async () => {
  const { editor, saved } = await save({ 'tls.insecureSkipVerify': true });
  const strict = draftOf(saved, { 'tls.insecureSkipVerify': false });
  expect(demand(await editor.resolve(strict)).headers[0]?.value.reveal()).toBe(token);
});

it.each([
  ['a Secret that the page did not make', { valueFrom: { secretKeyRef: { name: 'shared', key: 'token' } } }],
  ['a value in the manifest', { value: token }],
])('sends %s to no endpoint that is typed on the page', async (_what, source) => {
  const headers = [{ name: 'Authorization', ...source }];
  const { editor } = await startEditor({
    'siem.yaml': manifest('siem', { endpoint: 'https://otel.example.com', headers }),
    'secrets/shared/token': token,
  });
  const saved = await readOnly(editor);
  for (const problems of await ask(
    editor,
    saved,
    draftOf(saved, { endpoint: 'https://collector.example.net' }),
  )) {
    expect(problems['headers.0.value']).toContain('for otel.example.com');
  }
  expect(demand(await editor.resolve(draftOf(saved))).headers[0]?.value.reveal()).toBe(token);
});

it('restricts an endpoint that is typed on the page to public addresses, until a file says another', async () => {
  const { editor, directory } = await startEditor({
    'kept.yaml': manifest('kept', { organization: 'globex', endpoint: 'http://10.0.0.7:4318' }),
  });
  const made = await follow(directory.path);
  const addressesOf = (name: string) => {
    const state = made.states().get(`directory/default/${name}`);
    return state?.kind === 'valid' ? state.config.destination.addresses : 'unknown';
  };
  expect(addressesOf('kept')).toBeUndefined();
  demand(await editor.create(makeDraft({ name: 'siem', endpoint: 'http://10.0.0.8:4318' })));
  await expect.poll(() => addressesOf('siem')).toBe('public');
  expect(demand(await editor.resolve(makeDraft({ endpoint: 'http://10.0.0.8' }))).addresses).toBe('public');

  const kept = await readOnly(editor, 'globex');
  expect(demand(await editor.resolve(draftOf(kept, { maxBatchSize: '7' }))).addresses).toBeUndefined();
  const moved = draftOf(kept, { endpoint: 'http://10.0.0.9:4318' });
  expect(demand(await editor.resolve(moved)).addresses).toBe('public');
  demand(await editor.update(kept.id, moved, kept.revision));
  await expect.poll(() => addressesOf('kept')).toBe('public');
  // Back to where it was is typed, too; what a file says counts as ever.
  const now = await readOnly(editor, 'globex');
  const back = draftOf(now, { endpoint: 'http://10.0.0.7:4318' });
  demand(await editor.update(now.id, back, now.revision));
  expect(demand(await editor.resolve(draftOf(await readOnly(editor, 'globex')))).addresses).toBe('public');
  const text = directory.read('kept.yaml') ?? '';
  directory.write(
    'kept.yaml',
    text.replaceAll('spec:', 'spec: ').replace(/(endpoint.*)10\.0\.0\.7/, '$110.0.0.10'),
  );
  await expect.poll(() => addressesOf('kept')).toBeUndefined();
});

it('asks for a value again whose Secret is gone, in the form and in the status', async () => {
  const { editor, directory } = await startEditor();
  const headers = [header('Authorization', token)];
  demand(
    await editor.create(makeDraft({ name: 'siem', endpoint: 'https://otel.example.com:4318', headers })),
  );
  const saved = await readOnly(editor);
  directory.remove('secrets');
  expect(problemsOf(await editor.resolve(draftOf(saved)))).toEqual({
    'headers.0.value': 'was saved here and is gone: enter it again',
  });
  const { states } = await follow(directory.path);
  expect([...states().values()]).toMatchObject([
    {
      reason: 'SecretNotFound',
      problems: [
        'Secret default/siem-audit-export (spec.headers[0]) does not exist: the page saved the value there, so enter it again on the page.',
      ],
    },
  ]);
});
