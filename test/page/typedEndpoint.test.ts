/** Where an endpoint that is typed on the page may lead, and what comes back from there. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { migrateDatabase } from '../tools/database.ts';
import { type PageUnderTest, type PageUnderTestOptions, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { type Receiver, startReceiver } from '../tools/receiver.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const exports = '/organizations/acme/audit-logs/export';
const token = 'hush-hush';

async function start(
  options: PageUnderTestOptions = {},
): Promise<{ page: PageUnderTest; receiver: Receiver }> {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  return { page: await startPageUnderTest(postgres, options), receiver };
}

async function post(
  page: PageUnderTest,
  path: string,
  fields: Record<string, string>,
): Promise<{ status: number; text: string }> {
  const response = await fetch(page.origin + exports + path, {
    method: 'POST',
    headers: { Origin: page.origin },
    body: new URLSearchParams({ maxBatchSize: '5', compression: 'none', timeoutSeconds: '5', ...fields }),
  });
  return { status: response.status, text: await response.text() };
}

async function save(page: PageUnderTest, spec: Record<string, unknown>): Promise<void> {
  const manifest = {
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name: 'siem' },
    spec: { organization: 'acme', ...spec },
  };
  await writeFile(join(page.directory, 'siem.yaml'), JSON.stringify(manifest));
}

it('leads to no address of this machine, in whatever form it is written', async () => {
  const { page, receiver } = await start({ allowedRanges: [] });
  for (const host of ['127.0.0.1', '127.8.8.8', 'localhost', '[::1]', '[::ffff:127.0.0.1]']) {
    const { text } = await post(page, '/new/test', { endpoint: `http://${host}:${receiver.port}` });
    expect(text, host).toContain('This address may not be used');
  }
  expect(receiver.requests).toEqual([]);
});

it('leads where a manifest says, and not to another port that is typed over it', async () => {
  const { page, receiver } = await start({ allowedRanges: [] });
  const other = await startReceiver();
  onTestFinished(() => other.stop());
  await save(page, { endpoint: receiver.endpoint });
  expect((await post(page, '/default.siem/test', { endpoint: receiver.endpoint })).text).toContain(
    'took the test record',
  );
  const { text } = await post(page, '/default.siem/test', { endpoint: other.endpoint });
  expect(text).toContain('This address may not be used');
  expect(other.requests).toEqual([]);
});

it('gets no value that was saved for another endpoint, by a test or by a save', async () => {
  const { page, receiver } = await start();
  const headers = [{ name: 'Authorization', value: token }];
  await save(page, { endpoint: 'https://otel.example.com', headers });
  const row = { 'headers.0.name': 'Authorization', 'headers.0.value': '' };
  const shown = await (await fetch(`${page.origin}${exports}/default.siem`)).text();
  const revision = /name="revision" value="([^"]+)"/.exec(shown)?.[1] ?? '';
  for (const path of ['/default.siem/test', '/default.siem']) {
    const { status, text } = await post(page, path, { endpoint: receiver.endpoint, revision, ...row });
    expect(status).toBe(422);
    expect(text).toContain('Value of header 1 was saved for otel.example.com: enter it again.');
    expect(text).not.toContain(token);
  }
  expect(receiver.requests).toEqual([]);
});
