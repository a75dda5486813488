/** The list of entries, in a real Chromium over a real Postgres. */
import { describe, it } from 'vitest';
import { expectAccessible, expectNoSidewaysScroll, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { makePageEntries, writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();

describe('the list', () => {
  it('looks finished', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, makePageEntries(300));
    const page = await browser.newPage();
    await page.goto(`${origin}/organizations/acme/audit-logs`);
    await page.waitForSelector('[data-row]');
    await screenshot(page, 'list');
    await expectAccessible(page);
    await page.getByText('Event type', { exact: true }).first().click();
    await screenshot(page, 'list-types');
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await page.locator('[data-row]').first().click();
    await page.waitForSelector('#drawer:modal');
    await screenshot(page, 'entry');
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await page.locator('#q').fill('chrome');
    await page.waitForSelector('.excerpt mark');
    await screenshot(page, 'list-search');
    await expectAccessible(page);
    for (const [width, height] of [
      [768, 1024],
      [390, 844],
      [320, 640],
    ] as const) {
      await page.setViewportSize({ width, height });
      await expectNoSidewaysScroll(page);
      await screenshot(page, `list-${width}`);
    }
    await expectAccessible(page);
    await page.locator('[data-row]').first().click();
    await page.waitForSelector('#drawer:modal');
    await screenshot(page, 'entry-320');
  }, 60_000);
});
