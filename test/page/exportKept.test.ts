/** The form of a destination keeps what is typed whatever is answered, and sends it once. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defaultRateLimits } from '../../src/web/security/rateLimits.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { expectAccessible, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';
const typed = 'https://typed.example.com';

const button = (page: Page, name: string) => page.getByRole('button', { name });
const endpointOf = (page: Page) => page.getByLabel('Endpoint URL');

async function writeManifest(directory: string, name: string): Promise<void> {
  const manifest = {
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name },
    spec: { organization: 'acme', endpoint: 'http://127.0.0.1:1' },
  };
  await writeFile(join(directory, `${name}.yaml`), JSON.stringify(manifest));
}

/** Answers of the page to a POST wait until `answer`; `asked` resolves once the page has answered. */
async function holdAnswers(page: Page, address: RegExp) {
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await page.route(address, async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    const response = await route.fetch();
    asked.resolve();
    await gate.promise;
    await route.fulfill({ response });
  });
  return { asked: asked.promise, answer: gate.resolve };
}

describe('an answer that is no form leaves the form as it is, and says why above the buttons', () => {
  it('for a certificate that is too large', async () => {
    const { origin } = await startPageUnderTest(postgres);
    const page = await browser.newPage({ expectedErrors: [/413/] });
    await page.goto(`${origin}${logs}/export/new`);
    await endpointOf(page).fill(typed);
    await page.locator('#export-advanced > summary').click();
    await page.evaluate(`document.querySelector('#export-form textarea.mono').value = 'A+'.repeat(100_000)`);
    await button(page, 'Add destination').click();
    await page.locator('#export-alert').getByText('This is too large. The form holds more').waitFor();
    expect(await endpointOf(page).inputValue()).toBe(typed);
    await screenshot(page, 'export-too-large');
    await expectAccessible(page);
  });

  it('for a row of headers that may not be added yet', async () => {
    const write = { requests: 1, windowMs: 60_000, atOnce: 4 };
    const { origin } = await startPageUnderTest(postgres, { rateLimits: { ...defaultRateLimits, write } });
    const page = await browser.newPage({ expectedErrors: [/429/] });
    await page.goto(`${origin}${logs}/export/new`);
    await button(page, 'Add header').click();
    await page.getByLabel('Name of header 1').fill('Authorization');
    await page.getByLabel('Value of header 1').fill('Bearer typed');
    await button(page, 'Add header').click();
    await page.locator('#export-alert').getByText('Too many requests. You can do this 1 times').waitFor();
    expect(await page.getByLabel('Name of header 1').inputValue()).toBe('Authorization');
    expect(await page.getByLabel('Value of header 1').inputValue()).toBe('Bearer typed');
  });

  it('for a destination that somebody deleted, and to save and to test it', async () => {
    const { origin, directory } = await startPageUnderTest(postgres);
    await writeManifest(directory, 'siem');
    const page = await browser.newPage({ expectedErrors: [/404/] });
    await waitFor(async () => {
      await page.goto(`${origin}${logs}/export/default.siem`);
      return (await endpointOf(page).count()) === 1;
    });
    await endpointOf(page).fill(typed);
    await rm(join(directory, 'siem.yaml'));
    await waitFor(
      async () => !(await (await fetch(`${origin}${logs}/export`)).text()).includes('export/default.siem"'),
    );
    for (const [name, place] of [
      ['Save', '#export-alert'],
      ['Send a test record', '#export-test'],
    ] as const) {
      await button(page, name).last().click();
      await page.locator(place).getByText('This destination is gone. It was deleted').waitFor();
      expect(await endpointOf(page).inputValue()).toBe(typed);
    }
    expect(await page.locator('#drawer-title').count()).toBe(1);
  });

  it('for a database that fails, which may be after it was saved', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    const page = await browser.newPage({ expectedErrors: [/50\d/] });
    await page.goto(`${origin}${logs}/export/new`);
    await endpointOf(page).fill('http://127.0.0.1:1');
    await db.query('drop schema audit cascade');
    await button(page, 'Add destination').click();
    await page
      .locator('#export-alert')
      .getByText('Look whether it was done before you do it again.')
      .waitFor();
    expect(await endpointOf(page).inputValue()).toBe('http://127.0.0.1:1');
  });
});

it('is sent once, however often Enter is pressed, and takes nothing that would not be part of it', async () => {
  const { origin, directory } = await startPageUnderTest(postgres);
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  receiver.answerWith({ hang: true });
  const page = await browser.newPage({ expectedErrors: [/422/] });
  await page.goto(`${origin}${logs}/export/new`);
  await endpointOf(page).fill(receiver.endpoint);
  for (let n = 0; n < 3; n += 1) await page.keyboard.press('Enter');
  await receiver.waitFor(({ requestCount }) => requestCount === 1);
  await page.keyboard.type('/late');
  expect(await endpointOf(page).inputValue()).toBe(receiver.endpoint);
  await page.keyboard.press('Escape');
  await page.getByText('The test was cancelled.').waitFor();
  // The focus is where it was.
  await waitFor(() => page.evaluate('document.activeElement.name === "endpoint"'));
  receiver.answerWith({ status: 200 });
  for (let n = 0; n < 3; n += 1) await page.keyboard.press('Enter');
  await page.getByText('The destination was added.').waitFor();
  await button(page, 'Suspend').click();
  await page.getByText('Suspended. Entries are kept').waitFor();
  expect(await readdir(directory)).toHaveLength(1);
});

it('is not replaced by a late answer to what was left before, and nobody is told that this is not saved', async () => {
  const { origin, directory } = await startPageUnderTest(postgres);
  await writeManifest(directory, 'one');
  await writeManifest(directory, 'two');
  const page = await browser.newPage();
  const questions: string[] = [];
  page.on('dialog', (dialog) => {
    questions.push(dialog.message());
    void dialog.accept();
  });
  await waitFor(async () => {
    await page.goto(`${origin}${logs}/export`);
    return (await page.getByRole('link', { name: /^(one|two)$/ }).count()) === 2;
  });
  await page.getByRole('link', { name: 'one', exact: true }).click();
  await endpointOf(page).fill('http://127.0.0.1:2');
  const late = await holdAnswers(page, /\/export\/default\.one$/);
  await button(page, 'Save').last().click();
  await late.asked;
  await page.getByRole('link', { name: 'Back to all destinations' }).click();
  await page.getByRole('link', { name: 'two', exact: true }).click();
  await page.getByRole('heading', { name: 'two' }).waitFor();
  await endpointOf(page).fill(typed);
  late.answer();
  await page.getByText('You left this before the answer came').waitFor();
  expect(await endpointOf(page).inputValue()).toBe(typed);
  expect(page.url()).toMatch(/default\.two$/);
  expect(questions).toEqual(['This is being saved. Leave before the answer comes?']);
});

it('is asked about again when the way out failed', async () => {
  const { origin } = await startPageUnderTest(postgres);
  const page = await browser.newPage({ expectedErrors: [/ERR_INTERNET_DISCONNECTED|Failed to fetch/] });
  let asked = 0;
  page.on('dialog', (dialog) => {
    asked += 1;
    void dialog.accept();
  });
  await page.goto(`${origin}${logs}/export/new`);
  await endpointOf(page).fill(typed);
  // What leaving the field asks for is answered before the network goes.
  await endpointOf(page).blur();
  await page.getByText('Records are posted to').waitFor();
  await page.context().setOffline(true);
  await page.getByRole('link', { name: 'Back to all destinations' }).click();
  await page.locator('#session-bar').getByText('the server does not answer').waitFor();
  await page.context().setOffline(false);
  await page.keyboard.press('Escape');
  await endpointOf(page).waitFor({ state: 'detached' });
  expect(asked).toBe(2);
});

it('says to look first when a change had no answer, which may be done', async () => {
  const { origin, directory } = await startPageUnderTest(postgres);
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const page = await browser.newPage({ expectedErrors: [/ERR_FAILED|Failed to fetch/] });
  await page.goto(`${origin}${logs}/export/new`);
  await endpointOf(page).fill(receiver.endpoint);
  await endpointOf(page).blur();
  await page.getByText('Records are posted to').waitFor();
  await page.route(/\/export\/new$/, async (route) => {
    await route.fetch();
    await route.abort();
  });
  await button(page, 'Add destination').click();
  const bar = page.locator('#session-bar');
  await bar.getByText('Look whether it was done before you do it again.').waitFor();
  expect(await bar.getByRole('link').isVisible()).toBe(false);
  expect(await endpointOf(page).inputValue()).toBe(receiver.endpoint);
  expect(await readdir(directory)).toHaveLength(1);
});
