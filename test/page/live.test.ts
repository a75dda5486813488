/** New entries are announced, never pushed in; and the keys. */
import { describe, expect, it } from 'vitest';
import { expectAccessible, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { makePageEntries, writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

describe('new entries', () => {
  it('are counted in a banner that moves no row, within the filter, and come on a click', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [{ eventType: 'a.one' }]);
    const page = await browser.newPage();
    await page.clock.install();
    await page.goto(`${origin}${logs}?type=a.one`);
    const place = () =>
      page
        .locator('[data-row]')
        .first()
        .evaluate((row) => row.getBoundingClientRect().top);
    const before = await place();
    await writePageEntries(db, [{ eventType: 'a.one' }, { eventType: 'a.one' }, { eventType: 'b.two' }]);
    const polled = page.waitForResponse((response) => response.url().includes('/newer?'));
    await page.clock.runFor(10_500);
    expect(new URL((await polled).url()).searchParams.get('live')).toBe('1');
    await page.getByText('2 new entries').waitFor();
    expect(await page.locator('[data-row]').count()).toBe(1);
    expect(await place()).toBe(before);
    const again = page.waitForResponse((response) => response.url().includes('/newer?'));
    await page.clock.runFor(10_500);
    expect((await again).status()).toBe(204);
    await expectAccessible(page);
    await screenshot(page, 'live');
    await page.getByText('2 new entries').click();
    await expect.poll(() => page.locator('[data-row]').count()).toBe(3);
    expect(await page.locator('.live-chip').count()).toBe(0);
  });

  it('are not asked for when a person turned that off, nor for a range that is over', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [{ eventType: 'a.one' }]);
    const page = await browser.newPage();
    await page.clock.install();
    await page.goto(origin + logs);
    await page.getByText('View', { exact: true }).click();
    await page.getByLabel('Watch for new entries').uncheck();
    let polls = 0;
    page.on('request', (request) => {
      if (request.url().includes('/newer?')) polls++;
    });
    await page.clock.runFor(31_000);
    await page.goto(`${origin}${logs}?to=2026-01-01T00:00`);
    expect(await page.locator('#live').count()).toBe(0);
    expect(polls).toBe(0);
  });
});

describe('times', () => {
  it('are in UTC, or in one’s own zone where that was chosen, and stay so', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [{ eventType: 'a.one', occurredAt: new Date('2026-07-01T10:00:00Z') }]);
    const page = await browser.newPage();
    await page.goto(`${origin}${logs}?range=all`);
    const exact = page.locator('.exact');
    expect(await exact.textContent()).toBe('2026-07-01 10:00:00 UTC');
    await page.getByText('View', { exact: true }).click();
    await page.getByLabel('Times in my time zone').check();
    expect(await exact.textContent()).toBe('2026-07-01 12:00:00 GMT+2');
    await screenshot(page, 'view-menu');
    await expectAccessible(page);
    await page.reload();
    await expect.poll(() => exact.textContent()).toBe('2026-07-01 12:00:00 GMT+2');
  });
});

describe('keys', () => {
  it('move, open, close, search and explain, and can be turned off', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, makePageEntries(5));
    const page = await browser.newPage();
    await page.goto(origin + logs);
    const focused = () => page.evaluate<string>('document.activeElement.id');
    const rows = await page.locator('[data-row]').evaluateAll((all) => all.map((row) => row.id));
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    expect(await focused()).toBe(rows[1]);
    await page.keyboard.press('k');
    expect(await focused()).toBe(rows[0]);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#drawer:modal');
    // In an open entry the same keys lead to the older and the newer one, and others scroll.
    const first = page.url();
    await page.keyboard.press('j');
    await expect.poll(() => page.url()).not.toBe(first);
    // Whichever of the two scrolls at this height.
    const scrolled = () =>
      page.evaluate<number>(
        `Math.max(...['#drawer-body', '.drawer-body', '#drawer'].map((part) => document.querySelector(part).scrollTop))`,
      );
    await page.setViewportSize({ width: 1280, height: 360 });
    await expect
      .poll(async () => {
        await page.keyboard.press('PageDown');
        return scrolled();
      })
      .toBeGreaterThan(0);
    await page.keyboard.press('Home');
    await expect.poll(scrolled).toBe(0);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.keyboard.press('Escape');
    await expect.poll(focused).toBe(rows[1]);
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor();
    await expectAccessible(page);
    await screenshot(page, 'help');
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    expect(await focused()).toBe('q');
    await page.keyboard.type('j/?');
    expect(await page.locator('#q').inputValue()).toBe('j/?');
    await page.locator('summary', { hasText: 'View' }).click();
    await page.getByRole('checkbox', { name: 'Keyboard shortcuts' }).uncheck();
    await page.keyboard.press('Escape');
    expect(await page.locator('details[open]').count()).toBe(0);
    await page.keyboard.press('/');
    expect(await focused()).not.toBe('q');
  });

  it('reach everything in the order that it is seen, and show where one is', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, makePageEntries(2));
    const page = await browser.newPage({ forcedColors: 'active', reducedMotion: 'reduce' });
    await page.goto(origin + logs);
    await page.locator('[data-bars] a').last().waitFor();
    const names: string[] = [];
    for (let step = 0; step < 19; step++) {
      await page.keyboard.press('Tab');
      names.push(
        await page.evaluate<string>(
          `(document.activeElement.getAttribute('aria-label') ?? document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent).trim().replace(/\\s+/g, ' ').slice(0, 24)`,
        ),
      );
    }
    expect(names.slice(0, 15)).toEqual([
      'Skip to content',
      'Skip to entries',
      'Audit Export',
      'Audit Logs',
      'Sign out',
      'View',
      'Help',
      'Download',
      'Configure OTEL Export',
      'Search entries; results ',
      'Event type',
      'Actor',
      'Project',
      'Session',
      'Time',
    ]);
    expect(names[15]).toMatch(/^\d entr\w+, 2/);
    expect(names.slice(16, 18)).toEqual(['As a table', 'Remove Last 30 days']);
    await screenshot(page, 'forced-colors');
  });
});
