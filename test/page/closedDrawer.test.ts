/** A drawer that is closed stays closed, whatever was asked for in it. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

/** Requests of the page to this address wait until `answer`; resolves once one does. */
async function holdBack(page: Page, address: RegExp, method: string) {
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await page.route(address, async (route) => {
    if (route.request().method() !== method) return route.continue();
    asked.resolve();
    await gate.promise;
    await route.continue();
  });
  return {
    asked: asked.promise,
    answer: async () => {
      const answered = page.waitForResponse(
        (response) => response.request().method() === method && address.test(response.url()),
      );
      gate.resolve();
      await answered;
    },
  };
}

/** Whatever an answer brings about comes before a request that is made after it. */
async function settle(page: Page): Promise<void> {
  const polled = page.waitForResponse(/newer|trouble/);
  await polled;
}

async function expectClosed(page: Page): Promise<void> {
  await settle(page);
  expect(await page.locator('#drawer:modal').count()).toBe(0);
  expect(await page.locator('#drawer-body > *').count()).toBe(0);
  expect(new URL(page.url()).pathname).toBe(logs);
}

it('an entry that comes after the drawer was closed does not open it again, and the next one does', async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  const ids = await writePageEntries(db, [{ eventType: 'a.one' }, { eventType: 'a.two' }]);
  const page = await browser.newPage();
  await page.goto(origin + logs);
  await page.locator('[data-row]').first().click();
  await page.locator('#drawer:modal').waitFor();
  const late = await holdBack(page, new RegExp(`/entries/${ids[0]}(?:\\?|$)`), 'GET');
  await page.getByRole('link', { name: 'Older entry' }).click();
  await late.asked;
  await page.keyboard.press('Escape');
  await page.locator('#drawer:modal').waitFor({ state: 'detached' });
  await late.answer();
  await expectClosed(page);
  await page.locator('[data-row]').last().click();
  await page.locator('#drawer:modal').getByRole('heading', { name: 'a.one' }).waitFor();
});

it('a save that is answered after the drawer was closed says so, and does not open it again', async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, [{ eventType: 'a.one' }]);
  const page = await browser.newPage({ expectedErrors: [/422/] });
  page.on('dialog', (dialog) => dialog.accept());
  await page.goto(origin + logs);
  await page
    .getByRole('link', { name: /OTEL Export/ })
    .first()
    .click();
  await page.getByRole('link', { name: 'Add destination' }).click();
  await page.getByLabel('Endpoint URL').fill('http://127.0.0.1:1/v1/logs');
  const late = await holdBack(page, /\/export/, 'POST');
  await page.getByRole('button', { name: 'Add destination' }).click();
  await late.asked;
  await page.getByRole('link', { name: 'Close' }).click();
  await page.locator('#drawer:modal').waitFor({ state: 'detached' });
  await late.answer();
  await page.getByText('Open it again to see whether it was done.').waitFor();
  await expectClosed(page);
});
