/** The list in windows of every width: nothing is cut, leaves the screen or pushes the entries down. */
import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { expectAccessible, expectNoSidewaysScroll, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { makePageEntries, writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

async function openList(width: number, height: number, search = ''): Promise<Page> {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, [
    ...makePageEntries(60),
    {
      eventType: 'flow.run.created',
      project: 'a-very-long-project-name-that-goes-on-and-on-for-ever-and-ever',
      actorName: 'Somebody With A Long Name',
    },
    { eventType: 'flow.run.created', project: 'mobile', actorName: 'Ada', actorId: 'u-1' },
  ]);
  const page = await browser.newPage({ viewport: { width, height }, locale: 'en-US' });
  await page.goto(origin + logs + search);
  return page;
}

const boxOf = async (element: Locator) => {
  const box = await element.boundingBox();
  if (box === null) throw new Error('not on the page');
  return box;
};
/** How many lines the text of an element takes; `element`: an expression of the page. */
const linesOf = (page: Page, element: string) =>
  page.evaluate<number>(`(() => {
    const range = document.createRange();
    range.selectNodeContents(${element});
    return new Set([...range.getClientRects()].map(({ top }) => Math.round(top / 8))).size;
  })()`);

describe.each([
  [320, 640],
  [390, 844],
])('on a phone of %i × %i', (width, height) => {
  it('entries begin in the first quarter of the screen below the bars, and what happened is a word and not letters', async () => {
    const page = await openList(width, height);
    const first = page.locator('.entry').first();
    await page.locator('[data-bars]').waitFor();
    const bars = await boxOf(page.locator('#histogram'));
    expect(bars.height).toBeLessThanOrEqual(90);
    expect(((await boxOf(first)).y - bars.height) / height).toBeLessThanOrEqual(0.25);
    for (const row of [0, 1])
      expect(await linesOf(page, `document.querySelectorAll('[data-row]')[${row}]`)).toBe(1);
    await expectNoSidewaysScroll(page);
    await screenshot(page, `list-phone-${width}`);
    await expectAccessible(page);
  });

  it('every menu opens inside the screen', async () => {
    const page = await openList(width, height);
    for (const name of ['View', 'Download', 'Event type', 'Actor', 'Project', 'Session', 'Time']) {
      const menu = page.locator('main details', {
        has: page.locator('summary', { hasText: new RegExp(`^\\s*${name}\\s*$`) }),
      });
      await menu.locator('summary').click();
      const { x, width: wide } = await boxOf(menu.locator('.menu-body'));
      expect(x, name).toBeGreaterThanOrEqual(0);
      expect(x + wide, name).toBeLessThanOrEqual(width);
      await expectNoSidewaysScroll(page);
      await page.keyboard.press('Escape');
    }
  });
});

it('a narrow screen has room for the project', async () => {
  const page = await openList(1024, 768);
  const project = page.locator('.cell-project', { hasText: /^mobile$/ }).first();
  expect((await boxOf(project)).width).toBeGreaterThanOrEqual(100);
  expect(await linesOf(page, `document.querySelector('.cell-project > bdi')`)).toBe(1);
  await screenshot(page, 'list-1024');
});

it.each([320, 1280])('times of one’s own are not cut (%i)', async (width) => {
  const page = await openList(width, 800);
  await page.locator('.filters summary', { hasText: 'Time' }).click();
  for (const name of ['#from', '#to']) {
    const input = page.locator(name);
    // The longest text, the padding and the button behind it.
    const needed = await page.evaluate<number>(`(() => {
      const { font, paddingInlineStart, paddingInlineEnd } = getComputedStyle(document.querySelector('${name}'));
      const canvas = document.createElement('canvas').getContext('2d');
      canvas.font = font;
      const padding = Number.parseFloat(paddingInlineStart) + Number.parseFloat(paddingInlineEnd);
      return canvas.measureText('11/27/2026, 10:20:30.123 AM').width + padding + 24;
    })()`);
    const { width: own } = await boxOf(input);
    expect(own).toBeGreaterThanOrEqual(needed);
    expect(own).toBeLessThanOrEqual(width);
  }
  await page.locator('#from').fill('2026-11-27T10:20:30.123');
  await screenshot(page, `times-${width}`);
});

it('what a search found is readable in every colour', async () => {
  const page = await openList(1440, 900, '?q=flow');
  await screenshot(page, 'list-1440');
  await page.emulateMedia({ forcedColors: 'active' });
  await screenshot(page, 'list-forced');
  await page.setViewportSize({ width: 800, height: 900 });
  await page.emulateMedia({ forcedColors: 'none' });
  await screenshot(page, 'list-800');
  await expectAccessible(page);
});

it('a row opens from anywhere in it, and its text can be selected', async () => {
  const page = await openList(1280, 800);
  const actor = page.locator('.cell-actor bdi', { hasText: 'Somebody With A Long Name' });
  const { x, y, width, height } = await boxOf(actor);
  await page.mouse.move(x + 1, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width - 1, y + height / 2, { steps: 5 });
  await page.mouse.up();
  expect(await page.evaluate<string>('getSelection().toString()')).toContain('With A Long');
  expect(await page.locator('#drawer:modal').count()).toBe(0);
  await page.evaluate('getSelection().empty()');
  await actor.click();
  await page.waitForSelector('#drawer:modal');
});

it('loading older entries leads to the first of them', async () => {
  const page = await openList(1280, 800);
  await page.getByRole('link', { name: 'Load older' }).focus();
  await page.keyboard.press('Enter');
  const id = await page.locator('[data-row]').nth(50).getAttribute('id');
  await expect.poll(() => page.evaluate<string>('document.activeElement.id')).toBe(id);
});

it('a range of one’s own is typed, sent and named in the zone of the list', async () => {
  const page = await openList(1280, 800);
  await page.locator('summary', { hasText: 'View' }).click();
  await page.getByLabel('Times in my time zone').check();
  await page.locator('.filters summary', { hasText: 'Time' }).click();
  await page.getByLabel('Custom (GMT+1)').waitFor();
  await page.locator('#from').fill('2026-11-02T14:00');
  await page.locator('.chip', { hasText: 'Since 2026-11-02 14:00 GMT+1' }).waitFor();
  expect(new URL(page.url()).search).toBe('?from=2026-11-02T13%3A00');
  await page.reload();
  expect(await page.locator('#from').inputValue()).toBe('2026-11-02T14:00');

  // Each end in the zone of its day, whatever the day is today.
  await page.locator('.filters summary', { hasText: 'Time' }).click();
  await page.locator('#from').fill('2026-07-02T14:00');
  await page.locator('.chip', { hasText: 'Since 2026-07-02 14:00 GMT+2' }).waitFor();
  await page.getByLabel('Custom (GMT+2)').waitFor();
  await page.locator('#to').fill('2026-11-02T14:00');
  await page.locator('.chip', { hasText: '2026-07-02 14:00 GMT+2 to 2026-11-02 14:00 GMT+1' }).waitFor();
  expect(new URL(page.url()).search).toBe('?from=2026-07-02T12%3A00&to=2026-11-02T13%3A00');
});
