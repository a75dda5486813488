/** The page's own entries: nothing is changed that the audit log does not hold. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ConfigDraft, ConfigEditor, EditableConfig } from '../../src/configs/configEditor.ts';
import { toEditableSpec } from '../../src/configs/editor/editableSpec.ts';
import type { Destination } from '../../src/model/exportConfig.ts';
import type { Viewer } from '../../src/web/visit.ts';
import { makeCertificateAuthority } from '../tools/certificates.ts';
import { migrateDatabase, openDatabase } from '../tools/database.ts';
import { makeDestination } from '../tools/destination.ts';
import {
  ada,
  type PageUnderTest,
  type PageUnderTestOptions,
  startPageUnderTest,
} from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { type Receiver, startReceiver } from '../tools/receiver.ts';
import { makeRole } from '../tools/roles.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const exports = '/organizations/acme/audit-logs/export';

async function start(
  options: PageUnderTestOptions = {},
): Promise<{ page: PageUnderTest; receiver: Receiver }> {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const page = await startPageUnderTest(postgres, options);
  const spec = { organization: 'acme', endpoint: receiver.endpoint };
  const manifest = {
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name: 'siem' },
    spec,
  };
  await writeFile(join(page.directory, 'siem.yaml'), JSON.stringify(manifest));
  return { page, receiver };
}

async function post(
  page: PageUnderTest,
  path: string,
  fields: Record<string, string> = {},
): Promise<Response> {
  return await fetch(page.origin + exports + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { Origin: page.origin },
    body: new URLSearchParams(fields),
  });
}

function fieldsOf(receiver: Receiver, changes: Record<string, string> = {}): Record<string, string> {
  return {
    endpoint: receiver.endpoint,
    maxBatchSize: '9',
    compression: 'gzip',
    timeoutSeconds: '10',
    ...changes,
  };
}

async function revisionOf(page: PageUnderTest): Promise<string> {
  const text = await (await fetch(`${page.origin}${exports}/default.siem`)).text();
  return /name="revision" value="([^"]+)"/.exec(text)?.[1] ?? '';
}

async function entriesOf({
  db,
}: PageUnderTest): Promise<
  Array<{ type: string; actor: string; name: string | null; metadata: Record<string, unknown> }>
> {
  const { rows } = await db.query(
    `select replace(event_type, 'audit_export.', '') as type, actor_id as actor, actor_name as name, metadata
     from audit.entries where event_type <> 'audit_export.settings_viewed' order by id`,
  );
  return rows;
}

/** Each thing that can be done, by the address that does it. */
const deeds: ReadonlyArray<readonly [path: string, deed: string]> = [
  ['/new', 'created'],
  ['/default.siem', 'updated'],
  ['/new/test', 'tested'],
  ['/default.siem/test', 'tested'],
  ['/default.siem/suspend', 'suspended'],
  ['/default.siem/resume', 'resumed'],
  ['/default.siem/retry', 'retried'],
  ['/default.siem/delete', 'deleted'],
];

it.each(deeds)('writes what %s asks for before it does it', async (path, deed) => {
  const { page, receiver } = await start();
  if (deed === 'resumed') await post(page, '/default.siem/suspend');
  const before = (await entriesOf(page)).length;
  await post(page, path, fieldsOf(receiver, { revision: await revisionOf(page) }));
  const entries = (await entriesOf(page)).slice(before);
  // What is new is tested first.
  if (deed === 'created')
    expect(entries.splice(0, 2).map(({ type }) => type)).toEqual(['requested', 'tested']);
  const [requested, done, ...more] = entries;
  expect(more).toEqual([]);
  expect(requested).toMatchObject({ type: 'requested', actor: 'u-ada', metadata: { action: deed } });
  expect(JSON.stringify(requested?.metadata)).toContain(String(receiver.port));
  expect(done?.type).toBe(deed);
});

it('says in the first entry what is to change, and no value', async () => {
  const { page, receiver } = await start();
  const headers = { 'headers.0.name': 'X-Token', 'headers.0.value': 'hush-hush' };
  await post(page, '/default.siem', fieldsOf(receiver, { revision: await revisionOf(page), ...headers }));
  const entries = await entriesOf(page);
  expect(entries[0]?.metadata).toMatchObject({
    destination: 'default.siem',
    changed: ['headers', 'maxBatchSize', 'headers.X-Token (value)'],
    changes: { maxBatchSize: { from: 1000, to: 9 } },
  });
  expect(JSON.stringify(entries)).not.toContain('hush');
});

it('names the receiver that got a test record, not what was posted for an endpoint of another owner', async () => {
  const config: EditableConfig = {
    id: { namespace: 'flows', name: 'siem' },
    key: null,
    revision: 'r1',
    spec: toEditableSpec({ organization: 'acme', endpoint: 'http://owned.example.com:4318' }, 'siem'),
    problems: [],
    owners: new Map([['endpoint', 'kubectl']]),
    readOnly: null,
    status: null,
  };
  const editor = {
    read: async () => ({ kind: 'ok', value: config }),
    resolve: async ({ endpoint }: ConfigDraft) => ({ kind: 'ok', value: makeDestination(endpoint) }),
  } as unknown as ConfigEditor;
  const sentTo: string[] = [];
  const send = async ({ url }: Destination): Promise<'aborted'> => {
    sentTo.push(url.host);
    return 'aborted';
  };
  const { page } = await start({ context: { editor, send } });
  await post(page, '/flows.siem/test', { endpoint: 'http://elsewhere.example.com:4318' });
  expect(sentTo).toEqual(['owned.example.com:4318']);
  const about = { destination: 'flows.siem', host: 'owned.example.com:4318' };
  expect((await entriesOf(page)).map(({ type, metadata }) => [type, metadata])).toEqual([
    ['requested', { action: 'tested', ...about }],
    ['tested', { result: 'Timeout', ...about }],
  ]);
});

it('says that a certificate is another one', async () => {
  const { page, receiver } = await start();
  const save = async () => {
    const authority = makeCertificateAuthority();
    const client = authority.issue(['client.example.com']);
    const certificates = {
      'tls.caSecretRef': authority.cert,
      'tls.clientCertSecretRef': client.cert,
      'tls.clientCertSecretRef.key': client.key,
    };
    const fields = fieldsOf(receiver, { revision: await revisionOf(page), ...certificates });
    await post(page, '/default.siem', fields);
  };
  await save();
  const before = (await entriesOf(page)).length;
  await save();
  const entries = (await entriesOf(page)).slice(before);
  expect(entries.map(({ type }) => type)).toEqual(['requested', 'updated']);
  for (const { metadata } of entries) {
    expect(metadata).toMatchObject({ changed: ['tls.ca (value)', 'tls.clientCert (value)'], changes: {} });
  }
});

it('writes how it ended when it did not work', async () => {
  const { page, receiver } = await start();
  // No value can be written below it.
  await writeFile(join(page.directory, 'secrets'), '');
  const headers = { 'headers.0.name': 'X-Token', 'headers.0.value': 'hush-hush' };
  await post(page, '/default.siem', fieldsOf(receiver, { revision: await revisionOf(page), ...headers }));
  const entries = await entriesOf(page);
  expect(entries.map(({ type }) => type)).toEqual(['requested', 'request_failed']);
  expect(entries[1]?.metadata).toMatchObject({ action: 'updated', destination: 'default.siem' });
  expect(entries[1]?.metadata['reason']).toContain(page.directory);
});

it('writes nothing of what is refused before it begins', async () => {
  const { page } = await start();
  await post(page, '/default.siem/replay');
  await post(page, '/default.siem/delete', { revision: 'old' });
  await post(page, '/new', { endpoint: 'nowhere' });
  expect(await entriesOf(page)).toEqual([]);
  expect(await readdir(page.directory)).toContain('siem.yaml');
});

it.each(deeds)('does nothing by %s when the audit log cannot take the entry', async (path, deed) => {
  // A role that reads and does not insert; the page is made with the owner's database, which tells its address.
  const { page, receiver } = await start();
  const { role, url } = await makeRole(page.db, page.databaseUrl);
  await page.db.query(`grant usage on schema audit to "${role}"`);
  await page.db.query(`grant select on all tables in schema audit to "${role}"`);
  const db = openDatabase(url);
  onTestFinished(() => db.end());
  const reading = await startPageUnderTest(postgres, { context: { db } });
  const text = await readFile(join(page.directory, 'siem.yaml'), 'utf8');
  const before = deed === 'resumed' ? text.replace('"endpoint"', '"suspend":true,"endpoint"') : text;
  await writeFile(join(reading.directory, 'siem.yaml'), before);
  const fields = fieldsOf(receiver, { revision: await revisionOf(reading) });
  const answer = await (await post(reading, path, fields)).text();
  expect(answer).toContain('may not insert into audit.entries');
  expect(answer).toMatch(/Nothing was (?:saved|sent|changed|deleted)/);
  expect(await readdir(reading.directory)).toEqual(['siem.yaml']);
  expect(await readFile(join(reading.directory, 'siem.yaml'), 'utf8')).toBe(before);
  expect(receiver.requests).toEqual([]);
});

it.each([
  ['NUL', 'u-\0eve', 'E\0ve', 'u-\ufffdeve', 'Eve'],
  ['a line break', 'u-eve\n', '\r\nEve', 'u-eve\ufffd', 'Eve'],
  ['half of a pair', 'u-\ud800', 'Eve \ud83d', 'u-\ufffd', 'Eve \ufffd'],
  ['a turn of direction', 'u-\u202eeve', '\u2066Eve', 'u-\ufffdeve', 'Eve'],
  ['a mark of direction', 'u-\u200eeve\u061c', 'E\u200fve', 'u-\ufffdeve\ufffd', 'Eve'],
  ['nothing else', 'u-eve', '\0\0', 'u-eve', null],
])('records whoever is called by %s', async (_what, id, name, actor, shown) => {
  const viewer: Viewer = { ...ada, id, name };
  const { page } = await start({ viewer });
  await post(page, '/default.siem/suspend');
  const entries = await entriesOf(page);
  expect(entries.map(({ type }) => type)).toEqual(['requested', 'suspended']);
  expect(entries[1]).toMatchObject({ actor, name: shown });
});

it('keeps two long ids apart', async () => {
  const seen = new Set<string>();
  for (const end of ['a', 'b']) {
    const { page } = await start({
      viewer: { ...ada, id: 'x'.repeat(100_000) + end, name: 'n'.repeat(100_000) },
    });
    await post(page, '/default.siem/suspend');
    const [entry] = await entriesOf(page);
    expect(entry?.actor.length).toBeLessThanOrEqual(256);
    expect(entry?.name?.length).toBe(256);
    seen.add(entry?.actor ?? '');
  }
  expect(seen.size).toBe(2);
});
