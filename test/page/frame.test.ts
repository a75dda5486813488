/** The frame around every page. */
import { describe, expect, it } from 'vitest';
import { expectAccessible, expectNoSidewaysScroll, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { always, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();

describe('the frame', () => {
  it('says in words that there is nothing at an address', async () => {
    const { origin } = await startPageUnderTest(postgres);
    const page = await browser.newPage({ expectedErrors: [/404/] });
    await page.goto(`${origin}/nowhere`);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('There is nothing here');
    await expectAccessible(page);
    await screenshot(page, 'problem-404');
  });

  it('offers the organizations that one administers', async () => {
    const viewer = { id: 'u-1', name: 'Ada', administers: new Set(['acme', 'globex', 'initech']) };
    const { origin } = await startPageUnderTest(postgres, { authenticator: always(viewer) });
    const page = await browser.newPage();
    await page.goto(origin);
    await expectAccessible(page);
    await screenshot(page, 'home');
    await page.getByRole('link', { name: 'globex' }).click();
    expect(new URL(page.url()).pathname).toBe('/organizations/globex/audit-logs');
    await page.locator('.crumbs summary').click();
    await expectAccessible(page);
    await screenshot(page, 'frame');
    await page.setViewportSize({ width: 320, height: 640 });
    await expectNoSidewaysScroll(page);
    await screenshot(page, 'frame-320');
  });
});
