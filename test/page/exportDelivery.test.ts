/** What the export drawer shows of a real delivery: the whole collector as a process, its page, a receiver that changes its mind. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { expectAccessible, screenshot, useBrowser } from '../tools/browser.ts';
import { insertEntries, migrateDatabase, numbered } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { watchPage } from '../tools/watchedExports.ts';
import { startProduct } from './product.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();

const plain = { 'content-type': 'text/plain' };
const state = (page: Page) => page.getByRole('region', { name: 'State' });

it('delivers what was saved, shows a failure at the top, and that it is over', {
  timeout: 90_000,
}, async () => {
  const { db, receiver, collector, url } = await startProduct(postgres);
  receiver.answerWith(({ headers }) =>
    headers.authorization === 'Bearer good'
      ? { status: 200 }
      : { status: 401, headers: plain, body: 'token is unknown' },
  );
  const page = await browser.newPage({ expectedErrors: [/422/] });
  watchPage(page, { db, receiver }, { startFrom: 'Beginning' });
  await page.goto(`${url}/new`);
  await page.getByLabel('Endpoint URL').fill(receiver.endpoint);
  await page.getByRole('button', { name: 'Add header' }).click();
  await page.getByLabel('Name of header 1').fill('Authorization');
  await page.getByLabel('Value of header 1').fill('Bearer bad');
  await page.getByText('Advanced').click();
  await page.getByLabel(/Every entry there is/).check();
  await insertEntries(db, numbered(12));
  await page.getByRole('button', { name: 'Add destination' }).click();
  // The token is wrong, and that is known before.
  await page.getByRole('button', { name: 'Add anyway' }).click();
  await page.getByText('The destination was added.').waitFor();

  // Without a reload.
  const error = page.getByRole('group', { name: 'Most recent error' });
  await error.waitFor({ timeout: 20_000 });
  await state(page).getByText('Holding: needs you').waitFor({ timeout: 20_000 });
  const words = (await error.textContent()) ?? '';
  expect(words).toMatch(/HTTP 401[\s\S]*token is unknown[\s\S]*What to do:[\s\S]*Authorization/);
  // What to do is said once.
  expect(words.match(/Authorization/g)).toHaveLength(1);
  const order = await page
    .locator('.drawer-body')
    .evaluate(
      (body) =>
        (body.textContent ?? '').indexOf('Most recent error') <
        (body.textContent ?? '').indexOf('Endpoint URL'),
    );
  expect(order).toBe(true);
  expect(await state(page).textContent()).toMatch(/Pending\s*1[2-6]/);
  await expectAccessible(page);
  await screenshot(page, 'export-held');
  // What is typed meanwhile stays.
  await page.getByLabel('Value of header 1').fill('Bearer good');
  await page.getByLabel('Max batch size').fill('5');
  await page.waitForResponse(/\/state\?/);
  await page.waitForResponse(/\/state\?/);
  expect(await page.getByLabel('Value of header 1').inputValue()).toBe('Bearer good');
  expect(await page.getByLabel('Max batch size').inputValue()).toBe('5');
  // What was typed is not saved, and goes.
  page.once('dialog', (dialog) => void dialog.accept());
  await page.getByRole('link', { name: 'Back to all destinations' }).click();
  await page.locator('.export-card-link').waitFor();
  await page.getByRole('group', { name: 'Most recent error' }).waitFor();
  await expectAccessible(page);
  await screenshot(page, 'export-list-held');
  await page.locator('.export-card-link').click();
  await page.getByLabel('Value of header 1').fill('Bearer good');
  await page.getByLabel('Max batch size').fill('6');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  // Not red under "Saved".
  expect(await page.locator('.export-error.notice-bad').count()).toBe(0);
  await receiver.waitFor((r) => r.ledger.storedCount >= 12);
  await state(page).getByText('Delivering', { exact: true }).waitFor({ timeout: 20_000 });
  await page.getByText('The last error was resolved').waitFor({ timeout: 20_000 });
  await expectAccessible(page);
  await screenshot(page, 'export-delivering');
  expect(collector.output() + (await page.content())).not.toContain('Bearer');
});

it('shows parked entries with their reasons, and replays them', { timeout: 150_000 }, async () => {
  const { db, receiver, collector, url } = await startProduct(postgres);
  let isPicky = true;
  receiver.answerWith(({ records }) =>
    isPicky && records.some(({ eventName }) => eventName === 'flow.odd')
      ? { status: 400, headers: plain, body: 'flow.odd is not known here' }
      : { status: 200 },
  );
  await insertEntries(db, [...numbered(5), ...numbered(2, { eventType: 'flow.odd' }), ...numbered(5)]);
  await collector.writeConfig('siem', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
    filter: { eventTypes: ['flow.*'] },
  });
  await collector.waitForStatus('siem', (status) => status.parkedEntries === 2);
  const page = await browser.newPage();
  watchPage(page, { db, receiver }, { startFrom: 'Beginning', eventTypes: 'flow.%' });
  await page.goto(`${url}/default.siem`);
  await page.getByText('2 parked entries').click();
  await page.getByText('flow.odd is not known here').first().waitFor();
  await expectAccessible(page);
  await screenshot(page, 'export-parked');
  // A look at the state closes nothing.
  await page.waitForResponse(/\/state\?/);
  await page.waitForResponse(/\/state\?/);
  expect(await page.getByText('flow.odd is not known here').first().isVisible()).toBe(true);
  isPicky = false;
  await page.getByRole('button', { name: 'Replay 2 parked' }).click();
  await page.getByText('The parked entries are being sent again.').waitFor();
  await collector.waitForStatus('siem', (status) => status.parkedEntries === 0);
  await page.getByText('2 parked entries').waitFor({ state: 'detached', timeout: 20_000 });
  const { rows } = await db.query(
    `select event_type as type, metadata ->> 'entries' as entries from audit.entries where event_type like 'audit_export.replayed'`,
  );
  expect(rows).toEqual([{ type: 'audit_export.replayed', entries: '2' }]);
});

it('is not green before the receiver has accepted an entry, and says so on the list while it fails', {
  timeout: 120_000,
}, async () => {
  const { db, receiver, collector, url } = await startProduct(postgres);
  receiver.answerWith({ status: 404 });
  await collector.writeConfig('siem', { organization: 'acme', endpoint: receiver.endpoint });
  await collector.waitForStatus('siem', ({ conditions }) => conditions[0]?.reason === 'NothingSent');
  const page = await browser.newPage();
  watchPage(page, { db, receiver });
  await page.goto(`${url}/default.siem`);
  await state(page).getByText('Nothing sent yet').waitFor();
  await insertEntries(db, numbered(2));
  await state(page).getByText('Holding: needs you').waitFor({ timeout: 20_000 });
  await state(page).getByRole('button', { name: 'Retry now' }).waitFor();
  await page.getByRole('link', { name: 'Close' }).click();
  await page.locator('#export-trouble').getByText('siem: Holding: needs you').waitFor({ timeout: 20_000 });
  await page
    .locator('#export-trouble')
    .getByRole('link', { name: /^Fix it/ })
    .click();
  // A save that does not help: the old error is grey at once, and red once it has come again.
  await page.getByLabel('Max batch size').fill('7');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  await state(page)
    .getByText('Holding: needs you')
    .waitFor({ timeout: 60_000 })
    .catch(async (error: unknown) => {
      // What the collector says itself tells a page that is late from a collector that is.
      const status = JSON.stringify(await collector.readStatus('siem'));
      throw new Error(
        `${error}\n${status}\n${receiver.requests.length} requests\n${collector.output().slice(-2_000)}`,
      );
    });
  receiver.answerWith({ status: 200 });
  await state(page).getByRole('button', { name: 'Retry now' }).click();
  await page.getByText('The collector is trying again now.').waitFor();
  await state(page).getByText('Delivering', { exact: true }).waitFor({ timeout: 20_000 });
  expect(await state(page).getByRole('button', { name: 'Retry now' }).count()).toBe(0);
});
