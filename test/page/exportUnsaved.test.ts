/** The form of a destination in a browser: what is typed is not lost, a test can be ended, and a broken export is fixed in few steps. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { expectAccessible, expectNoSidewaysScroll, screenshot, useBrowser } from '../tools/browser.ts';
import { insertEntries, migrateDatabase } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';
import { serveHttp } from '../transport/loopback.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

/** Answers each question with no until told otherwise, and counts them. */
function answerQuestions(page: Page) {
  const asked = { count: 0, isYes: false };
  page.on('dialog', (dialog) => {
    asked.count += 1;
    void (asked.isYes ? dialog.accept() : dialog.dismiss());
  });
  return asked;
}

async function openForm(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}${logs}`);
  await page.getByRole('link', { name: 'Configure OTEL Export' }).click();
  await page.getByRole('link', { name: 'Add destination' }).click();
  await page.getByLabel('Endpoint URL').waitFor();
}

it('asks before it throws away what was typed, whichever way one leaves', { timeout: 120_000 }, async () => {
  const { origin } = await startPageUnderTest(postgres);
  const page = await browser.newPage();
  const asked = answerQuestions(page);
  const endpoint = page.getByLabel('Endpoint URL');
  await openForm(page, origin);
  // Nothing is typed: nothing is asked.
  await page.keyboard.press('Escape');
  await endpoint.waitFor({ state: 'detached' });
  expect(asked.count).toBe(0);

  await openForm(page, origin);
  await endpoint.fill('https://otel.example.com');
  const ways: ReadonlyArray<readonly [string, () => Promise<unknown>]> = [
    ['Esc', () => page.keyboard.press('Escape')],
    ['×', () => page.getByRole('link', { name: 'Close' }).click()],
    ['the backdrop', () => page.mouse.click(5, 400)],
    ['another link', () => page.getByRole('link', { name: 'Back to all destinations' }).click()],
    ['Back', () => page.evaluate('history.back()')],
  ];
  for (const [n, [way, leave]] of ways.entries()) {
    await leave();
    await waitFor(() => asked.count === n + 1, { describe: () => `asked by ${way}: ${asked.count}` });
    expect(await endpoint.inputValue(), way).toBe('https://otel.example.com');
  }
  // Changed back, there is nothing to lose.
  await endpoint.fill('');
  await page.keyboard.press('Escape');
  await endpoint.waitFor({ state: 'detached' });
  expect(asked.count).toBe(ways.length);

  await openForm(page, origin);
  await endpoint.fill('https://otel.example.com');
  asked.isYes = true;
  await page.keyboard.press('Escape');
  await endpoint.waitFor({ state: 'detached' });
  expect(asked.count).toBe(ways.length + 1);
});

it('asks when the tab is closed, and also after a form that was not accepted', {
  timeout: 60_000,
}, async () => {
  const { origin } = await startPageUnderTest(postgres);
  const page = await browser.newPage({ expectedErrors: [/422/] });
  await openForm(page, origin);
  await page.getByLabel('Endpoint URL').fill('nowhere#');
  await button(page, 'Add destination').click();
  await page.getByText('Fix 1 field.').waitFor();
  const asked = page.waitForEvent('dialog');
  await page.close({ runBeforeUnload: true });
  const dialog = await asked;
  expect(dialog.type()).toBe('beforeunload');
  await dialog.dismiss();
});

it('ends a test that runs, by its button and by Esc, and keeps the form', { timeout: 90_000 }, async () => {
  const under = await startPageUnderTest(postgres);
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  receiver.answerWith({ hang: true });
  const page = await browser.newPage();
  const asked = answerQuestions(page);
  await openForm(page, under.origin);
  await page.getByLabel('Endpoint URL').fill(receiver.endpoint);
  for (const [n, cancel] of [
    () => button(page, 'Cancel').click(),
    () => page.keyboard.press('Escape'),
  ].entries()) {
    await button(page, 'Send a test record').click();
    await receiver.waitFor(({ requestCount }) => requestCount === n + 1);
    await cancel();
    await page.getByText('The test was cancelled.').waitFor();
    expect(await page.getByLabel('Endpoint URL').inputValue()).toBe(receiver.endpoint);
  }
  expect(asked.count).toBe(0);
  const results = async () =>
    (
      await under.db.query(
        `select metadata ->> 'result' as result from audit.entries where event_type = 'audit_export.tested'`,
      )
    ).rows.map(({ result }) => result);
  await waitFor(async () => (await results()).length === 2);
  expect(await results()).toEqual(['Cancelled', 'Cancelled']);
});

it('hides at once a value that is pasted as a name', { timeout: 60_000 }, async () => {
  const { origin } = await startPageUnderTest(postgres);
  const page = await browser.newPage();
  await openForm(page, origin);
  await button(page, 'Add header').click();
  await page.getByLabel('Name of header 1').fill("-H 'Authorization: Bearer hush-hush'");
  expect(await page.getByLabel('Name of header 1').inputValue()).toBe('Authorization');
  const value = page.getByLabel('Value of header 1');
  expect(await value.inputValue()).toBe('Bearer hush-hush');
  expect(await value.getAttribute('type')).toBe('password');
});

it('takes a whole header that is typed by keys, or pasted over another, as it was meant', async () => {
  const { origin } = await startPageUnderTest(postgres);
  const page = await browser.newPage();
  await openForm(page, origin);
  await button(page, 'Add header').click();
  const name = page.getByLabel('Name of header 1');
  const value = page.getByLabel('Value of header 1');
  await name.click();
  await page.keyboard.type('Authorization: Bearer first');
  await page.keyboard.press('Tab');
  expect(await name.inputValue()).toBe('Authorization');
  expect(await value.inputValue()).toBe('Bearer first');
  await name.fill('X-Key: second');
  expect(await name.inputValue()).toBe('X-Key');
  expect(await value.inputValue()).toBe('second');
});

it('says without JavaScript that typed values go with another header, before it happens and after', async () => {
  const { origin } = await startPageUnderTest(postgres);
  const said = /Adding or removing a header.* empties the values/;
  const scriptless = await browser.newPage({ javaScriptEnabled: false });
  await scriptless.goto(`${origin}${logs}/export/new`);
  expect(await scriptless.getByText(said).isVisible()).toBe(true);
  await scriptless.getByRole('button', { name: 'Add header' }).click();
  await scriptless.getByLabel('Name of header 1').fill('Authorization');
  await scriptless.getByLabel('Value of header 1').fill('Bearer typed');
  await scriptless.getByRole('button', { name: 'Add header' }).click();
  await scriptless.getByText('Enter it again before you save: Authorization.').waitFor();
  const page = await browser.newPage();
  await openForm(page, origin);
  expect(await page.getByText(said).isVisible()).toBe(false);
});

it('leads from a wrong path and a wrong header to a working export in few steps', {
  timeout: 120_000,
}, async () => {
  const under = await startPageUnderTest(postgres);
  const { port } = await serveHttp((request, response) => {
    const status =
      request.url !== '/otlp/v1/logs' ? 404 : request.headers.authorization === 'Bearer right' ? 200 : 401;
    request.resume().on('end', () => response.writeHead(status).end());
  });
  const manifest = {
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name: 'siem' },
    spec: {
      organization: 'acme',
      endpoint: `http://127.0.0.1:${port}/v1/log`,
      headers: [{ name: 'Authorization', value: 'stale' }],
    },
  };
  await writeFile(join(under.directory, 'siem.yaml'), JSON.stringify(manifest));
  const page = await browser.newPage();
  let clicks = 0;
  let keys = 0;
  const click = async (target: ReturnType<typeof button>) => {
    clicks += 1;
    await target.click();
  };
  await page.goto(`${under.origin}${logs}/export/default.siem`);
  await click(button(page, 'Send a test record'));
  const result = page.locator('#export-test');
  await result.getByText('OTLP answers at').waitFor();
  await click(button(page, /^Use http.*and test$/));
  await result.getByText('does not accept the credentials').waitFor();
  expect(await page.getByLabel('Endpoint URL').inputValue()).toBe(`http://127.0.0.1:${port}/otlp/v1/logs`);
  await click(page.getByLabel('Value of header 1'));
  await page.keyboard.type('right');
  keys += 'right'.length;
  await click(button(page, 'Send a test record'));
  await result.getByText('Usually it is “Bearer TOKEN”').waitFor();
  await click(button(page, /Put “Bearer” before it/));
  await result.getByText('took the test record').waitFor();
  await click(button(page, 'Save'));
  await page.getByText('Saved.').waitFor();
  expect({ clicks, keys }).toEqual({ clicks: 6, keys: 5 });
});

it('fits every window with a failed test in it', { timeout: 120_000 }, async () => {
  const { origin } = await startPageUnderTest(postgres);
  const { port } = await serveHttp((request, response) => {
    request.resume().on('end', () => response.writeHead(request.url === '/otlp/v1/logs' ? 200 : 404).end());
  });
  for (const [width, height] of [
    [320, 640],
    [390, 844],
    [1024, 768],
    [1440, 900],
  ] as const) {
    const page = await browser.newPage({ viewport: { width, height }, expectedErrors: [/422/] });
    await page.goto(`${origin}${logs}/export/new`);
    await page.getByLabel('Endpoint URL').fill(`http://127.0.0.1:${port}/wrong`);
    await button(page, 'Add destination').click();
    await page.getByText('OTLP answers at').waitFor();
    await expectNoSidewaysScroll(page);
    await screenshot(page, `export-doctor-${width}`);
    if (width === 320 || width === 1440) await expectAccessible(page);
    await page.goto('about:blank');
  }
});

it('says in the main form how many entries each start would send', { timeout: 60_000 }, async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  await insertEntries(
    db,
    Array.from({ length: 12 }, (_, n) => ({ occurredAt: `2026-01-${10 + n}T00:00:00Z` })),
  );
  const page = await browser.newPage();
  await page.goto(`${origin}${logs}/export/new`);
  const start = page.getByRole('group', { name: 'Start from' });
  await start.getByText('12 entries so far.').waitFor();
  expect(await start.textContent()).toContain('You cannot change this later.');
  await page.getByLabel('Time (UTC)').fill('2026-01-20T00:00:00');
  await page.getByLabel('Time (UTC)').blur();
  await start.getByText('2 entries since then.').waitFor();
  expect(await page.getByLabel('Entries from a time on').isChecked()).toBe(true);
  await screenshot(page, 'export-start');
  await expectAccessible(page);
});
