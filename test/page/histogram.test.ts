/** Entries over time, and values with their counts: of exactly the filter, by pointer, by keys and without JavaScript. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { expectAccessible, expectNoSidewaysScroll, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { makePageEntries, type PageEntry, writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';
const day = '2026-03-10';
const range = `from=${day}T00:00&to=2026-03-11T00:00`;

/** At each whole hour of a day as many entries as its number, but none at 0:00. */
const hourly = Array.from({ length: 24 }, (_, hour) =>
  Array.from(
    { length: hour },
    (_, n): PageEntry => ({
      eventType: n === 0 ? 'flow.deleted' : 'flow.created',
      actorName: n % 2 === 0 ? 'Ada' : 'Grace',
      actorId: n % 2 === 0 ? 'u-1' : 'u-2',
      project: hour % 2 === 0 ? 'web' : null,
      metadata: `{"hour": "h${hour}"}`,
      occurredAt: new Date(`${day}T${String(hour).padStart(2, '0')}:30:00Z`),
    }),
  ),
).flat();

async function openDay(search = range, options: Parameters<typeof browser.newPage>[0] = {}) {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, hourly);
  const page = await browser.newPage(options);
  await page.goto(`${origin}${logs}?${search}`);
  return { page, origin };
}

const bars = (page: Page) => page.locator('[data-bars] a');
const statusOf = (page: Page) => page.locator('#status').textContent();
const rangeOf = (page: Page) => {
  const { searchParams } = new URL(page.url());
  return [searchParams.get('from'), searchParams.get('to')];
};

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** One finger, through all of the browser: what it makes of the touches is under test. */
async function makeTouch(page: Page) {
  const session = await page.context().newCDPSession(page);
  return (type: 'touchStart' | 'touchMove' | 'touchEnd', ...touchPoints: Array<{ x: number; y: number }>) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints });
}

describe('the histogram', () => {
  it('counts the whole filter after the list, and follows what is typed', async () => {
    const { page } = await openDay();
    await bars(page).first().waitFor();
    await expect.poll(() => statusOf(page)).toBe('276 entries');
    expect(await bars(page).count()).toBe(48);
    await page.locator('#q').fill('"h23"');
    await expect.poll(() => statusOf(page)).toBe('23 entries');
    await expect.poll(() => page.locator('[data-bars] a .bar').count()).toBe(1);
    await page.locator('#q').fill('absent');
    await page.getByRole('heading', { name: 'No entry matches' }).waitFor();
    await expect.poll(() => page.locator('#histogram').textContent()).toMatch(/^\s*$/);
    expect(await statusOf(page)).toBe('No entries');
  });

  it('shows a bar’s time, and a stretch of bars that is dragged over', async () => {
    const { page } = await openDay();
    const bar = bars(page).nth(23 * 2 + 1);
    expect(await bar.getAttribute('aria-label')).toBe('23 entries, 2026-03-10 23:30 to 2026-03-11 00:00 UTC');
    const [first, last] = [await bars(page).nth(20).boundingBox(), await bars(page).nth(23).boundingBox()];
    if (!first || !last) throw new Error('no bars');
    await page.mouse.move(first.x + 3, first.y + 30);
    await page.mouse.down();
    await page.mouse.move(last.x + 3, last.y + 30, { steps: 4 });
    expect(await page.locator('[data-bar-words]').textContent()).toBe(
      '2026-03-10 10:00 to 2026-03-10 12:00 UTC',
    );
    await screenshot(page, 'histogram-brush');
    await page.mouse.up();
    await expect.poll(() => rangeOf(page)).toEqual([`${day}T10:00`, `${day}T12:00`]);
    await expect.poll(() => statusOf(page)).toBe('21 entries');
    await page.goBack();
    await expect.poll(() => statusOf(page)).toBe('276 entries');
    await bar.click();
    await expect.poll(() => rangeOf(page)).toEqual([`${day}T23:30`, '2026-03-11T00:00']);
    expect(await page.locator('.chip', { hasText: '23:30' }).count()).toBe(1);
  });

  it('takes a stretch of bars by a finger that goes along them, and lets one that goes up or down scroll', async () => {
    const { page } = await openDay(range, phone);
    await bars(page).first().waitFor();
    const touch = await makeTouch(page);
    const at = async (n: number) => {
      const box = await bars(page).nth(n).boundingBox();
      if (!box) throw new Error('no bar');
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    };
    const [first, last] = [await at(20), await at(23)];
    await touch('touchStart', first);
    for (const x of [first.x + 20, last.x]) await touch('touchMove', { x, y: first.y });
    await expect
      .poll(() => page.locator('[data-bar-words]').textContent())
      .toBe('2026-03-10 10:00 to 2026-03-10 12:00 UTC');
    expect(await page.locator('.is-taken').count()).toBe(4);
    await screenshot(page, 'histogram-touch');
    await touch('touchEnd');
    await expect.poll(() => rangeOf(page)).toEqual([`${day}T10:00`, `${day}T12:00`]);
    await expect.poll(() => statusOf(page)).toBe('21 entries');

    await page.goBack();
    await expect.poll(() => statusOf(page)).toBe('276 entries');
    await page.waitForLoadState('networkidle');
    await bars(page).nth(47).waitFor();
    const start = await at(20);
    await touch('touchStart', start);
    for (let step = 1; step <= 8; step++)
      await touch('touchMove', { x: start.x + 2 * step, y: start.y - 12 * step });
    await touch('touchEnd');
    await expect.poll(() => page.evaluate('scrollY')).toBeGreaterThan(30);
    expect(await page.locator('.is-taken').count()).toBe(0);
    expect(rangeOf(page)).toEqual([`${day}T00:00`, '2026-03-11T00:00']);

    // While it still glides, a tap would only stop it.
    const twoFrames = 'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))';
    await expect
      .poll(async () => {
        await page.evaluate('scrollTo(0, 0)');
        await page.evaluate(twoFrames);
        return await page.evaluate('scrollY');
      })
      .toBe(0);
    await page.evaluate(twoFrames);
    await bars(page).nth(47).tap();
    await expect.poll(() => rangeOf(page)).toEqual([`${day}T23:30`, '2026-03-11T00:00']);
  });

  it('stands before the entries on a phone, and pushes them down by less than 90 px', async () => {
    const { page } = await openDay(range, phone);
    await bars(page).first().waitFor();
    const topOf = async (selector: string) => (await page.locator(selector).first().boundingBox())?.y ?? NaN;
    const [histogram, chips, entry] = [
      await topOf('#histogram'),
      await topOf('.chips'),
      await topOf('.entry'),
    ];
    expect(histogram).toBeLessThan(chips);
    expect(chips - histogram).toBeLessThan(90);
    expect(entry).toBeLessThan(phone.viewport.height / 2);
    await page.getByText('As a table').click();
    await expectNoSidewaysScroll(page);
    await screenshot(page, 'histogram-table-390');
  });

  it('goes by keys: arrows, Shift, Enter, Escape', async () => {
    const { page } = await openDay();
    await bars(page).last().focus();
    expect(await page.locator('[data-bars] a[tabindex="0"]').count()).toBe(1);
    for (const key of ['Home', 'ArrowRight', 'ArrowRight', 'Shift+ArrowRight', 'Shift+ArrowRight'])
      await page.keyboard.press(key);
    expect(await page.locator('.is-taken').count()).toBe(3);
    await page.keyboard.press('Escape');
    expect(await page.locator('.is-taken').count()).toBe(0);
    await page.keyboard.press('Shift+ArrowLeft');
    await page.keyboard.press('Enter');
    await expect.poll(() => rangeOf(page)).toEqual([`${day}T01:30`, `${day}T02:30`]);
    await expect.poll(() => statusOf(page)).toBe('1 entry');
    await bars(page).first().focus();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await rangeOf(page))[1]).toBe(`${day}T02:30`);
  });

  it('is there without JavaScript for who asks, and its bars and its table are links', async () => {
    const { page } = await openDay(range, { javaScriptEnabled: false });
    expect(await bars(page).count()).toBe(0);
    await page.getByRole('link', { name: /Show how many entries there are over time/ }).click();
    expect(await statusOf(page)).toBe('276 entries');
    await page.getByText('As a table').click();
    const rows = page.locator('.histogram-table tbody tr');
    expect(await rows.count()).toBe(48);
    expect(await rows.last().textContent()).toContain('23 entries');
    await page.locator('.filters summary', { hasText: 'Actor' }).click();
    await page.getByRole('checkbox', { name: 'Not Ada (u-1)' }).check({ force: true });
    await page.getByRole('button', { name: 'Apply' }).click();
    expect(new URL(page.url()).searchParams.getAll('not-actor')).toEqual(['u-1']);
    expect(await statusOf(page)).toBe('132 entries');
    await bars(page).last().click({ force: true });
    expect(rangeOf(page)).toEqual([`${day}T23:30`, '2026-03-11T00:00']);
  });

  it('looks right at each width, in both colours, with nothing for axe to find', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, makePageEntries(2_000));
    const page = await browser.newPage();
    await page.goto(origin + logs);
    await bars(page).first().waitFor();
    await page.getByText('As a table').click();
    await page.locator('.filters summary', { hasText: 'Actor' }).click();
    await page.locator('.facet[open] .facet-count').first().waitFor();
    await page.locator('.facet[open] .facet-not').nth(1).click();
    await page.locator('.chip', { hasText: 'Not actor' }).waitFor();
    await expectAccessible(page);
    for (const width of [1440, 1024, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await expectNoSidewaysScroll(page);
      await screenshot(page, `facet-${width}`);
    }
    await page.keyboard.press('Escape');
    for (const width of [1440, 1024, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await page.evaluate('scrollTo(0, 0)');
      await screenshot(page, `histogram-${width}`);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBe(900);
  });
});

describe('values', () => {
  it('have counts of the other filters, are included or left out, and a name is entered exactly', async () => {
    const { page } = await openDay();
    const menu = (name: string) => page.locator('.filters summary', { hasText: name });
    const optionsOf = (key: string) =>
      page
        .locator(`[data-facet="${key}"] .facet-option`)
        .evaluateAll((all) => all.map((each) => (each.textContent ?? '').replace(/\s+/g, ' ').trim()));
    await menu('Event type').click();
    await expect
      .poll(() => optionsOf('type'))
      .toEqual(['flow.created 253 entries Not flow.created', 'flow.deleted 23 entries Not flow.deleted']);
    await page.getByRole('checkbox', { name: 'Not flow.created' }).check();
    await expect.poll(() => statusOf(page)).toBe('23 entries');
    expect(new URL(page.url()).searchParams.getAll('not-type')).toEqual(['flow.created']);
    await page.getByLabel('flow.created', { exact: true }).check();
    await expect.poll(() => statusOf(page)).toBe('253 entries');
    expect(await page.getByRole('checkbox', { name: 'Not flow.created' }).isChecked()).toBe(false);
    await menu('Project').click();
    await expect
      .poll(() => optionsOf('project'))
      .toEqual([
        'No project: the organization itself 132 entries Not No project: the organization itself',
        'web 121 entries Not web',
      ]);
    await menu('Actor').click();
    await page.locator('[data-facet="actor"] .facet-count').first().waitFor();
    await page.locator('#actor').fill('gra');
    expect(await page.locator('[data-facet="actor"] .facet-option:visible').count()).toBe(1);
    await page.locator('#actor').fill('Grace');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.chip', { hasText: 'Actor: Grace' }).count()).toBe(1);
    await expect.poll(() => statusOf(page)).toBe('132 entries');
    expect(await page.locator('#actor').inputValue()).toBe('');
    await page.getByLabel('Ada (u-1)', { exact: true }).check();
    await expect.poll(() => statusOf(page)).toBe('253 entries');
    await page.keyboard.press('Escape');
    await page.locator('.chip', { hasText: 'Actor: u-1' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.getAll('actor')).toEqual(['Grace']);
  });
});
