/** Filling in the form of a new destination from a preset or a pasted configuration, and showing a record, in a real browser. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { expectAccessible, expectNoSidewaysScroll, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';
import { serveHttp } from '../transport/loopback.ts';
import { exportsUrl, tryForm } from './tryForm.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const widths = [1440, 1024, 390] as const;

async function openSetup(page: Page): Promise<void> {
  if ((await page.locator('#export-setup[open]').count()) === 0) {
    await page.locator('#export-setup > summary').click();
  }
}

async function look(page: Page, name: string): Promise<void> {
  await expectAccessible(page);
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    await expectNoSidewaysScroll(page);
    await screenshot(page, `${name}-${width}`);
  }
}

it('fills in the form for a known receiver, and refuses what is left open', {
  timeout: 120_000,
}, async () => {
  const under = await startPageUnderTest(postgres);
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const page = await browser.newPage({ expectedErrors: [/422/] });
  await page.goto(`${under.origin}${exportsUrl}/new`);
  const endpoint = page.getByLabel('Endpoint URL');
  const said = page.locator('#export-filled');

  // By keyboard alone.
  await page.locator('#export-setup > summary').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Datadog');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await said.getByText('Filled in for Datadog.').waitFor();
  expect(await endpoint.inputValue()).toBe('https://otlp.<site>/v1/logs');
  expect(await page.getByLabel('Name of header 1').inputValue()).toBe('dd-api-key');
  expect(await page.getByLabel('Value of header 1').getAttribute('placeholder')).toBe('API key');
  expect(await button(page, 'Fill in').evaluate((element) => element.matches(':focus'))).toBe(true);
  expect(await said.getByRole('link').getAttribute('href')).toContain('docs.datadoghq.com');
  await look(page, 'export-preset');

  await button(page, 'Add destination').click();
  const problems = page.getByRole('alert').filter({ hasText: 'Fix 2 fields.' });
  await problems.waitFor();
  expect(await problems.textContent()).toContain(
    'Endpoint URL still has <site> in it: replace it by your Datadog site, such as datadoghq.com or datadoghq.eu.',
  );
  expect(await problems.textContent()).toContain('Value of header 1 is empty: enter the API key of Datadog.');
  await look(page, 'export-preset-open');

  // Another one takes the place of what nobody typed, in silence; of what was typed, it says so.
  await openSetup(page);
  await page.getByLabel('Receiver', { exact: true }).selectOption('Honeycomb');
  await button(page, 'Fill in').click();
  await said.getByText('Filled in for Honeycomb.').waitFor();
  expect(await said.textContent()).not.toContain('replaced');
  expect(await page.getByLabel(/^Name of header/).count()).toBe(1);
  await endpoint.fill('https://typed.example.com?key=hush-hush');
  await page.getByLabel('Value of header 1').fill('typed-key');
  await page.getByLabel('Receiver', { exact: true }).selectOption('Grafana Cloud');
  await button(page, 'Fill in').click();
  await said.getByText('The endpoint https://typed.example.com?… was replaced.').waitFor();
  expect(await endpoint.inputValue()).toContain('otlp-gateway-<zone>');
  // What was typed stays, secrets included.
  expect(await page.getByLabel('Name of header 1').inputValue()).toBe('x-honeycomb-team');
  expect(await page.getByLabel('Value of header 1').inputValue()).toBe('typed-key');
  expect(await page.getByLabel('Name of header 2').inputValue()).toBe('Authorization');
  await button(page, 'Remove header 1').click();
  await page.getByLabel('Name of header 2').waitFor({ state: 'detached' });

  // The token alone is enough: the preset knows what stands before it.
  await endpoint.fill(`http://127.0.0.1:${receiver.port}/otlp/v1/logs`);
  await page.getByLabel('Value of header 1').fill('12345:glc_token');
  await button(page, 'Send a test record').click();
  await page.getByText('took the test record').waitFor();
  expect(receiver.requests[0]?.headers['authorization']).toBe(
    `Basic ${Buffer.from('12345:glc_token').toString('base64')}`,
  );
});

it('reads a pasted configuration, and never sends back a secret in it', { timeout: 120_000 }, async () => {
  const under = await startPageUnderTest(postgres);
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const page = await browser.newPage({ expectedErrors: [/422/] });
  const answers: Promise<string>[] = [];
  page.on('response', (response) => {
    if (response.request().method() === 'POST') answers.push(response.text().catch(() => ''));
  });
  await page.goto(`${under.origin}${exportsUrl}/new`);
  await page.locator('#export-setup > summary').click();
  await page
    .getByLabel('Configuration', { exact: true })
    .fill(
      `exporters:\n  otlphttp:\n    endpoint: http://127.0.0.1:${receiver.port}/otlp\n    headers:\n      Authorization: Bearer hush-hush-token\n      X-Team: hush-hush-team\n    compression: none\n    sending_queue: {enabled: true}\n    tls: {ca_file: /etc/hush-hush.pem}\n`,
    );
  await button(page, 'Read it').click();
  await page.getByText('Filled in: the endpoint, 2 headers, compression.').waitFor();
  await page.getByText('sending_queue is not needed').waitFor();
  await page.getByText('tls.ca_file names a file').waitFor();
  expect(await page.getByLabel('Endpoint URL').inputValue()).toBe(
    `http://127.0.0.1:${receiver.port}/otlp/v1/logs`,
  );
  expect(await page.getByLabel('Compression').inputValue()).toBe('none');
  expect(await page.getByLabel('Value of header 1').inputValue()).toBe('');
  expect(await page.getByLabel('Value of header 1').getAttribute('placeholder')).toBe('•••• pasted');
  await look(page, 'export-paste');
  // Another receiver never gets it.
  await page.getByLabel('Receiver', { exact: true }).selectOption('Axiom');
  await button(page, 'Fill in').click();
  await page.getByText('Filled in for Axiom.').waitFor();
  await page.getByLabel('Endpoint URL').fill(`http://127.0.0.1:${receiver.port}`);
  await button(page, 'Send a test record').click();
  await page.getByText('Value of header 1 is empty: enter the API token of Axiom.').first().waitFor();
  expect(receiver.requests).toEqual([]);
  await button(page, 'Read it').click();
  await page.getByText('Filled in: the endpoint, 2 headers, compression.').waitFor();
  // What is typed counts before what was pasted.
  await page.getByLabel('Value of header 2').fill('typed-team');
  await button(page, 'Add destination').click();
  await page.getByText('The destination was added.').waitFor();
  const { headers } = receiver.requests[0] ?? {};
  expect(headers?.['authorization']).toBe('Bearer hush-hush-token');
  expect(headers?.['x-team']).toBe('typed-team');
  expect((await Promise.all(answers)).join('') + (await page.content()) + under.log.join('')).not.toContain(
    'hush',
  );
});

it('does both without a script, and asks again for what a page cannot keep', async () => {
  const under = await startPageUnderTest(postgres);
  const typed = {
    endpoint: 'https://typed.example.com',
    'headers.0.name': 'X-Own',
    'headers.0.value': 'hush',
  };
  const chosen = await tryForm(under, { ...typed, op: 'fill-preset', receiver: 'axiom' }, '/new');
  expect(chosen.status).toBe(200);
  expect(chosen.text).toContain('The endpoint https://typed.example.com was replaced.');
  expect(chosen.text).toContain('Enter it again before you save: X-Own.');
  for (const shown of [
    'value="https://&lt;domain&gt;/v1/logs"',
    'value="X-Axiom-Dataset"',
    'value="axiom"',
  ]) {
    expect(chosen.html).toContain(shown);
  }
  const paste =
    'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=https://otel.example.com/my/logs\nOTEL_EXPORTER_OTLP_HEADERS=api-key=hush';
  const pasted = await tryForm(under, { op: 'fill-paste', paste }, '/new');
  expect(pasted.text).toContain('Filled in: the endpoint, 1 header.');
  expect(pasted.text).toContain('Enter it again before you save: api-key.');
  expect(pasted.html).toContain('value="https://otel.example.com/my/logs"');
  const neither = await tryForm(under, { op: 'fill-preset' }, '/new');
  expect(neither.text).toContain('Choose a receiver first.');
  expect([chosen, pasted, neither].map(({ html }) => html).join('') + under.log.join('')).not.toContain(
    'hush',
  );
});

it('shows a record as it is sent, and a command that posts one like it', { timeout: 120_000 }, async () => {
  const under = await startPageUnderTest(postgres);
  const posted: Array<{ url: string; headers: Record<string, unknown>; body: string }> = [];
  const server = await serveHttp((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      posted.push({ url: request.url ?? '', headers: request.headers, body });
      response.end();
    });
  });
  const page = await browser.newPage();
  await page.goto(`${under.origin}${exportsUrl}/new`);
  const show = button(page, 'Show a record');
  await show.click();
  await page.getByRole('heading', { name: 'The test record' }).waitFor();

  const [id] = await writePageEntries(under.db, [
    {
      eventType: 'flow.deleted',
      metadata: JSON.stringify({ name: "it's $HOME `id` !! \\ \u009b", big: 1 }),
      occurredAt: new Date('2026-01-02T03:04:05.678Z'),
    },
  ]);
  await page.getByLabel('Endpoint URL').fill(`http://127.0.0.1:${server.port}/x/v1/logs?token=hush-hush`);
  await button(page, 'Add header').click();
  await page.getByLabel('Name of header 1').fill('Authorization');
  await page.getByLabel('Value of header 1').fill('Bearer hush-hush');
  await show.click();
  await page.getByRole('heading', { name: `Entry ${id} as a record` }).waitFor();
  // It is announced by its heading, and not read out as a whole.
  const heading = page.getByRole('heading', { name: `Entry ${id} as a record` });
  await expect.poll(() => heading.evaluate((element) => element.matches(':focus'))).toBe(true);
  const json = JSON.parse((await page.getByRole('region', { name: 'OTLP/JSON' }).textContent()) ?? '');
  const [record] = json.resourceLogs[0].scopeLogs[0].logRecords;
  expect(record).toMatchObject({ eventName: 'flow.deleted', timeUnixNano: '1767323045678000000' });
  expect(json.resourceLogs[0].resource.attributes).toContainEqual({
    key: 'audit.organization.id',
    value: { stringValue: 'acme' },
  });
  await page.locator('#export-record').scrollIntoViewIfNeeded();
  await look(page, 'export-record');

  const command = (await page.getByRole('region', { name: 'curl command' }).textContent()) ?? '';
  expect(command).not.toContain('hush');
  const env = { ...process.env, HEADER_AUTHORIZATION: 'Bearer set-by-hand', QUERY: 'token=set-by-hand' };
  await promisify(execFile)('sh', ['-c', command], { env });
  const [got] = posted;
  expect(got?.url).toBe('/x/v1/logs?token=set-by-hand');
  expect(got?.headers).toMatchObject({
    authorization: 'Bearer set-by-hand',
    'content-type': 'application/json',
  });
  const [copy] = JSON.parse(got?.body ?? '').resourceLogs[0].scopeLogs[0].logRecords;
  expect(copy.body).toEqual(record.body);
  expect(copy.attributes).toContainEqual({ key: 'audit.test', value: { boolValue: true } });
  const uidOf = (of: { attributes: Array<{ key: string }> }) =>
    of.attributes.find(({ key }) => key === 'log.record.uid');
  expect(uidOf(copy)).not.toEqual(uidOf(record));

  // Without a script, and for an entry that is too large to show whole.
  await writePageEntries(under.db, [
    { eventType: 'flow.grew', metadata: JSON.stringify({ text: 'x'.repeat(100_000) }) },
  ]);
  const whole = await tryForm(
    under,
    { op: 'show-record', 'headers.0.name': 'A', 'headers.0.value': 'hush' },
    '/new',
  );
  expect(whole.text).toContain('The first 64 Ki characters of');
  expect(whole.text).toContain('too large for a command');
  expect(whole.text).toContain('curl -sS -i "$ENDPOINT"');
  expect(whole.html).not.toContain('hush');

  // A destination that is there has its own stream, and the names of its stored headers.
  const headers = [{ name: 'X-Stored', value: 'hush' }];
  const spec = { organization: 'acme', endpoint: 'https://otel.example.com', headers };
  const manifest = {
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name: 'siem' },
    spec,
  };
  await writeFile(join(under.directory, 'siem.yaml'), JSON.stringify(manifest));
  const { rows } = await under.db.query<{ id: string }>(
    `insert into audit.streams (config_key, organization, cluster, settled)
     values ('directory/default/siem', 'acme', audit.cluster_id(), pg_current_snapshot()) returning id`,
  );
  const ask = () =>
    tryForm(
      under,
      { op: 'show-record', endpoint: spec.endpoint, 'headers.0.name': 'X-Stored' },
      '/default.siem',
    );
  await waitFor(async () => (await ask()).status === 200, {
    describe: () => 'the page knows the destination',
  });
  const stored = await ask();
  expect(stored.text).toContain(`"stringValue": "${rows[0]?.id}"`);
  expect(stored.text).toContain(`-H 'X-Stored: '"$HEADER_X_STORED"`);
  expect(stored.html).not.toContain('hush');
});
