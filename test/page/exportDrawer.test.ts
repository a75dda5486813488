/** The Configure OTEL Export drawer in a real browser, over a directory of manifests, a real database and a real receiver. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { defaultRateLimits } from '../../src/web/security/rateLimits.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { expectAccessible, expectNoSidewaysScroll, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { type PageUnderTest, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { ok, type Receiver, startReceiver } from '../tools/receiver.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const path = '/organizations/acme/audit-logs/export';

async function setUp(): Promise<{ under: PageUnderTest; receiver: Receiver; url: string }> {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const under = await startPageUnderTest(postgres);
  return { under, receiver, url: `${under.origin}${path}` };
}

function manifest(name: string, spec: Record<string, unknown>): string {
  return JSON.stringify({
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name },
    spec: { organization: 'acme', ...spec },
  });
}

async function readOwnEntries({
  db,
}: PageUnderTest): Promise<Array<{ type: string; metadata: Record<string, unknown> }>> {
  const { rows } = await db.query(
    `select event_type as type, metadata from audit.entries
     where actor_id = 'u-ada' and event_type not in ('audit_export.settings_viewed', 'audit_export.requested') order by id`,
  );
  return rows;
}

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

it('adds a destination, from the empty list to a manifest and a secret file', {
  timeout: 60_000,
}, async () => {
  const { under, receiver, url } = await setUp();
  const page = await browser.newPage();
  await page.goto(`${under.origin}/organizations/acme/audit-logs`);
  await page.getByRole('link', { name: 'Configure OTEL Export' }).click();
  await page.getByRole('heading', { name: 'No destination yet' }).waitFor();
  expect(new URL(page.url()).pathname).toBe(path);
  await expectAccessible(page);
  await screenshot(page, 'export-empty');
  await page.getByRole('link', { name: 'Add destination' }).click();
  await page.getByLabel('Endpoint URL').waitFor();
  await expectAccessible(page);
  await screenshot(page, 'export-new');

  await page.getByLabel('Endpoint URL').fill(`http://127.0.0.1:${receiver.port}`);
  await button(page, 'Add header').click();
  // The new row has the focus; what it is asked for resolves the endpoint, too.
  await expect
    .poll(() => page.getByLabel('Name of header 1').evaluate((input) => input.matches(':focus')))
    .toBe(true);
  await page.keyboard.type('Authorization');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Bearer s3cr3t-value');
  await page.getByText(`http://127.0.0.1:${receiver.port}/v1/logs`).waitFor();
  await button(page, 'Add header').click();
  await page.getByLabel('Name of header 2').fill('X-Extra');
  expect(await page.getByLabel('Value of header 1').inputValue()).toBe('Bearer s3cr3t-value');
  await button(page, 'Remove header 2').click();
  await page.getByLabel('Name of header 2').waitFor({ state: 'detached' });
  expect(await page.getByLabel('Value of header 1').inputValue()).toBe('Bearer s3cr3t-value');
  await page.getByLabel('Max batch size').fill('250');

  await button(page, 'Send a test record').click();
  await page.getByText('took the test record').waitFor();
  await screenshot(page, 'export-tested');
  const [record] = receiver.records;
  expect(record?.eventName).toBe('audit_export.test');
  expect(record?.attributes.get('audit.test')).toBe(true);
  expect(receiver.requests[0]?.headers['authorization']).toBe('Bearer s3cr3t-value');
  expect(await readdir(under.directory)).toEqual([]);

  await button(page, 'Add destination').click();
  await page.getByText('The destination was added.').waitFor();
  expect(page.url()).toBe(`${url}/default.acme-127-0-0-1`);
  await expectAccessible(page);
  await screenshot(page, 'export-saved');
  const text = await readFile(join(under.directory, 'acme-127-0-0-1.yaml'), 'utf8');
  expect(text).toContain('maxBatchSize: 250');
  expect(text).not.toContain('s3cr3t');
  expect(await page.content()).not.toContain('s3cr3t');
  expect(await page.getByLabel('Value of header 1').getAttribute('placeholder')).toContain(
    'leave empty to keep',
  );

  await page.getByRole('link', { name: 'Back to all destinations' }).click();
  await page.getByRole('heading', { name: 'acme-127-0-0-1' }).waitFor();
  await expectAccessible(page);
  await screenshot(page, 'export-list');
  await page.keyboard.press('Escape');
  await page.waitForURL(/audit-logs$/);

  const entries = await readOwnEntries(under);
  // Once by its own button, and once before it was added.
  expect(entries.map(({ type }) => type)).toEqual([
    'audit_export.tested',
    'audit_export.tested',
    'audit_export.created',
  ]);
  expect(entries[0]?.metadata).toEqual({ host: `127.0.0.1:${receiver.port}`, result: 'Delivered' });
  expect(entries[2]?.metadata).toMatchObject({ destination: 'default.acme-127-0-0-1' });
  expect(JSON.stringify(entries) + under.log.join('')).not.toContain('s3cr3t');
});

it('says every problem at its field, and keeps what was typed', { timeout: 120_000 }, async () => {
  const { under, url } = await setUp();
  const page = await browser.newPage({ expectedErrors: [/422/] });
  await page.goto(`${url}/new`);
  await page.getByLabel('Endpoint URL').fill('otel.example.com');
  await button(page, 'Add header').click();
  await page.getByLabel('Name of header 1').fill('Host');
  await page.getByLabel('Value of header 1').fill('kept-in-the-browser');
  await page.getByLabel('Max batch size').fill('5000');
  await page.getByText('Advanced').click();
  await page.getByLabel('Entries from a time on').check();
  await page.getByLabel('Certificate authority (PEM)').fill('not a certificate');
  await button(page, 'Add destination').click();
  const summary = page.getByRole('alert').filter({ hasText: 'Fix 4 fields.' });
  await summary.waitFor();
  expect(await summary.evaluate((element) => element.matches(':focus'))).toBe(true);
  await expectAccessible(page);
  await screenshot(page, 'export-422');
  const text = await summary.textContent();
  expect(text).toContain('Endpoint URL is "otel.example.com": it must begin with http:// or https://');
  expect(text).toContain('Max batch size is 5000: it must be a whole number from 1 to 1000.');
  expect(text).not.toContain('spec.');
  const size = page.getByLabel('Max batch size');
  expect(await size.inputValue()).toBe('5000');
  expect(await size.getAttribute('aria-invalid')).toBe('true');
  expect(await page.getByLabel('Value of header 1').inputValue()).toBe('kept-in-the-browser');
  expect(await page.getByLabel('Certificate authority (PEM)').inputValue()).toContain('not a certificate');
  await summary.getByRole('link', { name: /Max batch size/ }).click();
  expect(await size.evaluate((element) => element.matches(':focus'))).toBe(true);
  expect(await readdir(under.directory)).toEqual([]);
  expect(await readOwnEntries(under)).toEqual([]);
});

it('changes one field, suspends, resumes and deletes, each with its entry', {
  timeout: 60_000,
}, async () => {
  const { under, url } = await setUp();
  await writeFile(
    join(under.directory, 'siem.yaml'),
    `# Kept by hand.\n${manifest('siem', { endpoint: 'https://otel.example.com?token=in-the-query', headers: [{ name: 'X-Plain', value: 'plain' }] })}`,
  );
  const page = await browser.newPage();
  await page.goto(`${url}/default.siem`);
  expect(await page.content()).not.toMatch(/>[^<]*plain</);
  await page.getByLabel('Max batch size').fill('10');
  await page.keyboard.press('Enter');
  await page.getByText('Saved.').waitFor();
  await button(page, 'Suspend').click();
  await page.getByText('Suspended. Entries are kept').waitFor();
  await screenshot(page, 'export-suspended');
  await button(page, 'Resume').click();
  await page.getByText('Resumed.').waitFor();
  // Nothing fails.
  expect(await button(page, 'Retry now').count()).toBe(0);
  const text = await readFile(join(under.directory, 'siem.yaml'), 'utf8');
  expect(text).toContain('# Kept by hand.');
  expect(text).toMatch(/maxBatchSize"?: 10/);

  await page.getByRole('link', { name: 'Delete…' }).click();
  await page.getByText('will not be sent to otel.example.com').waitFor();
  await expectAccessible(page);
  await screenshot(page, 'export-delete');
  await button(page, 'Delete destination').click();
  await page.getByText('The destination was deleted.').waitFor();
  expect(await readdir(under.directory)).not.toContain('siem.yaml');

  const entries = await readOwnEntries(under);
  expect(entries.map(({ type }) => type.replace('audit_export.', ''))).toEqual([
    'updated',
    'suspended',
    'resumed',
    'deleted',
  ]);
  expect(entries[0]?.metadata).toMatchObject({
    destination: 'default.siem',
    host: 'otel.example.com',
    changed: ['maxBatchSize'],
    changes: { maxBatchSize: { from: 1000, to: 10 } },
  });
  expect(JSON.stringify(entries)).not.toContain('in-the-query');
});

it('tells the second of two admins who saved first and what differs, and overwrites nothing', {
  timeout: 60_000,
}, async () => {
  const { under, url } = await setUp();
  await writeFile(
    join(under.directory, 'siem.yaml'),
    manifest('siem', { endpoint: 'https://otel.example.com' }),
  );
  const first = await browser.newPage();
  const second = await browser.newPage({ expectedErrors: [/409/] });
  await first.goto(`${url}/default.siem`);
  await second.goto(`${url}/default.siem`);
  await first.getByLabel('Max batch size').fill('100');
  await button(first, 'Save').click();
  await first.getByText('Saved.').waitFor();
  await second.getByLabel('Max batch size').fill('200');
  await button(second, 'Save').click();
  const notice = second.getByRole('alert').filter({ hasText: 'Nothing of yours was saved' });
  await notice.waitFor();
  await expectAccessible(second);
  await screenshot(second, 'export-conflict');
  expect(await notice.textContent()).toMatch(/Ada Lovelace saved this destination/);
  expect(await notice.getByRole('row').nth(1).textContent()).toMatch(/Max batch size\s*100\s*200/);
  expect(await second.getByLabel('Max batch size').inputValue()).toBe('200');
  // Again, with the same old revision: still nothing.
  await button(second, 'Save').click();
  await notice.waitFor();
  expect(await readFile(join(under.directory, 'siem.yaml'), 'utf8')).toContain('100');
  second.once('dialog', (dialog) => void dialog.accept());
  await notice.getByRole('link', { name: 'Load the current version' }).click();
  await notice.waitFor({ state: 'detached' });
  expect(await second.getByLabel('Max batch size').inputValue()).toBe('100');
});

it('adds a destination that takes no record only if one insists, and keeps what was typed', {
  timeout: 120_000,
}, async () => {
  const { under, receiver, url } = await setUp();
  receiver.answerWith({ status: 404, body: 'nothing here' });
  const page = await browser.newPage({ expectedErrors: [/422/] });
  await page.goto(`${url}/new`);
  await page.getByLabel('Endpoint URL').fill(receiver.endpoint);
  await button(page, 'Add header').click();
  await page.getByLabel('Name of header 1').fill('Authorization');
  await page.getByLabel('Value of header 1').fill('Bearer s3cr3t-value');
  await button(page, 'Add destination').click();
  await page.getByText('The destination was not added.').waitFor();
  expect(await page.locator('#export-test').textContent()).toContain('Nothing is at this path');
  expect(await page.getByLabel('Value of header 1').inputValue()).toBe('Bearer s3cr3t-value');
  expect(await readdir(under.directory)).toEqual([]);
  await expectAccessible(page);
  await screenshot(page, 'export-add-anyway');
  // Fixed, it is added without a question.
  receiver.answerWith(ok);
  await button(page, 'Add destination').click();
  await page.getByText('The destination was added.').waitFor();

  receiver.answerWith({ status: 404 });
  await page.goto(`${url}/new`);
  await page.getByLabel('Endpoint URL').fill(receiver.endpoint);
  await page.getByLabel('Name', { exact: true }).fill('second');
  await button(page, 'Add destination').click();
  await button(page, 'Add anyway').click();
  await page.getByText('The destination was added.').waitFor();
  expect(await readdir(under.directory)).toContain('second.yaml');
});

it('works without JavaScript', { timeout: 120_000 }, async () => {
  const { under, receiver, url } = await setUp();
  const page = await browser.newPage({ javaScriptEnabled: false, expectedErrors: [/422/] });
  await page.goto(url);
  await page.getByRole('link', { name: 'Add destination' }).click();
  await page.getByLabel('Endpoint URL').fill(receiver.endpoint);
  await button(page, 'Add header').click();
  await page.getByLabel('Name of header 1').fill('Authorization');
  await page.getByLabel('Value of header 1').fill('Bearer s3cr3t');
  await page.getByLabel('Max batch size').fill('0');
  await button(page, 'Add destination').click();
  await page.getByText('Header values and keys are not sent back').waitFor();
  await screenshot(page, 'export-422-no-script');
  expect(await page.getByLabel('Value of header 1').inputValue()).toBe('');
  await page.getByLabel('Value of header 1').fill('Bearer s3cr3t');
  await page.getByLabel('Max batch size').fill('5');
  await button(page, 'Send a test record').click();
  await page.getByText('took the test record').waitFor();
  await page.getByLabel('Value of header 1').fill('Bearer s3cr3t');
  await button(page, 'Add destination').click();
  await page.getByText('The destination was added.').waitFor();
  expect(new URL(page.url()).searchParams.get('done')).toBe('created');
  await button(page, 'Suspend').click();
  await page.getByText('Suspended. Entries are kept').waitFor();
  await page.getByRole('link', { name: 'Delete…' }).click();
  await button(page, 'Delete destination').click();
  await page.getByText('The destination was deleted.').waitFor();
  await page.getByRole('link', { name: 'Close' }).click();
  await page.waitForURL((at) => at.pathname === '/organizations/acme/audit-logs');
  expect(await readdir(under.directory)).not.toContain('acme-127-0-0-1.yaml');
});

it('says what came of a test, whatever it is', { timeout: 120_000 }, async () => {
  const { receiver, url } = await setUp();
  const page = await browser.newPage({ expectedErrors: [/422/] });
  await page.goto(`${url}/new`);
  const endpoint = page.getByLabel('Endpoint URL');
  const result = page.locator('#export-test');
  const test = async (answer: Parameters<Receiver['answerWith']>[0], expected: RegExp) => {
    receiver.answerWith(answer);
    await button(page, 'Send a test record').click();
    await waitFor(async () => expected.test((await result.textContent()) ?? ''), {
      timeoutMs: 15_000,
      describe: () => String(expected),
    });
  };
  await endpoint.fill(receiver.endpoint);
  await test({ status: 401, body: 'no' }, /does not accept the credentials[\s\S]*Authorization/);
  await screenshot(page, 'export-test-401');
  await expectAccessible(page);
  await test({ status: 404 }, /Nothing is at this path[\s\S]*Correct the path/);
  await test(
    { status: 200, headers: { 'content-type': 'text/html' }, body: '<title>Login</title>' },
    /not an OTLP receiver[\s\S]*web page/,
  );
  await test({ status: 503 }, /is unavailable right now/);
  await test({ status: 400, body: 'bad' }, /refused the record/);
  await test({ reset: true }, /connection broke/);
  await endpoint.fill('http://no-such-host.invalid');
  await test({ status: 200 }, /host name was not found/);
  await endpoint.fill(receiver.endpoint.replace('http:', 'https:'));
  await test({ status: 200 }, /No secure connection/);
  await endpoint.fill('http://127.0.0.1:1');
  await test({ status: 200 }, /Nothing listens there|not be used/);
  // What cannot even be sent is said at its field.
  await endpoint.fill('nowhere');
  await button(page, 'Send a test record').click();
  await page.getByText('Fix 1 field.').waitFor();
});

it('can be used by the keyboard alone, and gives the focus back', { timeout: 120_000 }, async () => {
  const { under, receiver } = await setUp();
  const page = await browser.newPage();
  await page.goto(`${under.origin}/organizations/acme/audit-logs`);
  const opener = page.getByRole('link', { name: 'Configure OTEL Export' });
  await opener.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'No destination yet' }).waitFor();
  const focusOn = async (name: string | RegExp, role: 'link' | 'button' | 'textbox') => {
    const target = page.getByRole(role, { name });
    for (let presses = 0; presses < 40; presses++) {
      if (await target.evaluate((element) => element.matches(':focus'))) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`Tab does not reach ${name}.`);
  };
  await focusOn('Add destination', 'link');
  await page.keyboard.press('Enter');
  await page.getByLabel('Endpoint URL').waitFor();
  await focusOn('Endpoint URL', 'textbox');
  await page.keyboard.type(receiver.endpoint);
  await page.keyboard.press('Enter');
  await page.getByText('The destination was added.').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await waitFor(() => opener.evaluate((element) => element.matches(':focus')));
});

it('fits a narrow phone, and a page of 200 percent', { timeout: 120_000 }, async () => {
  const { under, url } = await setUp();
  await writeFile(
    join(under.directory, 'siem.yaml'),
    manifest('siem', {
      endpoint: `https://${'a-very-long-host-name.'.repeat(6)}example.com/with/a/path`,
      headers: [
        { name: 'Authorization', value: 'x' },
        { name: `X-${'Long'.repeat(20)}`, value: 'x' },
      ],
      filter: { eventTypes: ['flow.*'] },
    }),
  );
  for (const [name, width, height] of [
    ['320', 320, 640],
    ['390', 390, 844],
    ['640', 640, 400],
  ] as const) {
    const page = await browser.newPage({ viewport: { width, height } });
    await page.goto(`${url}/default.siem`);
    await page.getByLabel('Endpoint URL').waitFor();
    await expectNoSidewaysScroll(page);
    const isContained = await page
      .locator('.drawer-body')
      .evaluate((element) => element.scrollWidth <= element.clientWidth);
    expect(isContained, `nothing sticks out at ${width}`).toBe(true);
    await screenshot(page, `export-form-${name}`);
    await page.goto(url);
    await page.getByRole('link', { name: 'siem' }).waitFor();
    await expectAccessible(page);
    await screenshot(page, `export-list-${name}`);
  }
});

it('shows hostile text as text', { timeout: 120_000 }, async () => {
  const { under, url } = await setUp();
  const hostile = '<hx-partial hx-target="#drawer-title"><script>alert(1)</script>';
  await writeFile(
    join(under.directory, 'evil.yaml'),
    manifest('evil', {
      endpoint: 'https://otel.example.com',
      filter: { eventTypes: [hostile, '"><img src=x onerror=alert(1)>'], projects: ['\u202eevil'] },
    }),
  );
  const page = await browser.newPage();
  page.on('dialog', () => expect.fail('a script ran'));
  await page.goto(url);
  await page.getByRole('link', { name: 'evil' }).click();
  await page.getByLabel('Endpoint URL').waitFor();
  expect(await page.getByLabel('Only these event types').inputValue()).toContain(hostile);
  expect(await page.locator('#drawer-title').textContent()).toBe('evil');
});

it('says that it may not be asked more often, and keeps what was typed, secrets too', {
  timeout: 60_000,
}, async () => {
  const minute = { windowMs: 60_000, atOnce: 4 };
  const under = await startPageUnderTest(postgres, {
    rateLimits: {
      ...defaultRateLimits,
      sentTest: { requests: 1, ...minute },
      write: { requests: 1, ...minute },
    },
  });
  const page = await browser.newPage({ expectedErrors: [/429/, /422/] });
  await page.goto(`${under.origin}${path}/new`);
  await button(page, 'Add header').click();
  await page.getByLabel('Value of header 1').fill('typed');
  await page.getByLabel('Max batch size').fill('7');
  await button(page, 'Add destination').click();
  await page
    .locator('#export-alert')
    .getByText(/times a minute/)
    .waitFor();
  const test = page.locator('#export-test');
  // A wrong form is not counted: nothing was sent.
  for (let n = 0; n < 2; n++) {
    await button(page, 'Send a test record').click();
    await page.getByText(/Fix \d fields?\./).waitFor();
  }
  await page.getByLabel('Endpoint URL').fill('http://127.0.0.1:1');
  await page.getByLabel('Name of header 1').fill('X-Typed');
  await button(page, 'Send a test record').click();
  await test.getByText('Nothing listens there').waitFor();
  await button(page, 'Send a test record').click();
  await test.getByText(/You can send 1 test record a minute\. Wait \d+ seconds, then try again\./).waitFor();
  expect(await page.getByLabel('Value of header 1').inputValue()).toBe('typed');
  expect(await page.getByLabel('Max batch size').inputValue()).toBe('7');
  await screenshot(page, 'export-429');
});

it('says when the audit log could not record what was done, and logs it', { timeout: 120_000 }, async () => {
  const { under, url } = await setUp();
  await writeFile(
    join(under.directory, 'siem.yaml'),
    manifest('siem', { endpoint: 'https://otel.example.com' }),
  );
  const page = await browser.newPage();
  await page.goto(`${url}/default.siem`);
  await under.db.query(
    `alter table audit.entries add constraint none check (event_type <> 'audit_export.suspended') not valid`,
  );
  await button(page, 'Suspend').click();
  await page.getByText('Suspended. Entries are kept').waitFor();
  await page.getByText('The audit log could not record this.').waitFor();
  expect(under.log.join('')).toContain('an audit entry of its own was not written');
});

it('changes nothing when the browser comes from another site, or the method is a GET', async () => {
  const { under, url } = await setUp();
  await writeFile(
    join(under.directory, 'siem.yaml'),
    manifest('siem', { endpoint: 'https://otel.example.com' }),
  );
  for (const deed of ['suspend', 'resume', 'retry', 'replay', 'delete']) {
    const foreign = await fetch(`${url}/default.siem/${deed}`, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(foreign.status, deed).toBe(403);
    if (deed !== 'delete') expect((await fetch(`${url}/default.siem/${deed}`)).status, deed).toBe(404);
  }
  for (const id of ['default.nobody', 'other.siem', '..%2f..', 'siem']) {
    expect((await fetch(`${url}/${id}`)).status, id).toBe(404);
  }
  expect(await readFile(join(under.directory, 'siem.yaml'), 'utf8')).not.toContain('suspend: true');
  expect(await readOwnEntries(under)).toEqual([]);
});
