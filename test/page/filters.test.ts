/** Filters: each finds what it says, its state is the address, and all of it goes back and forth. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { expectAccessible, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

async function openList(search = '', options: { javaScriptEnabled?: boolean } = {}) {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, [
    {
      eventType: 'flow.created',
      actorName: 'Ada',
      actorId: 'u-1',
      project: 'web',
      metadata: '{"ip": "10.0.0.1", "note": "100% Sure_thing"}',
    },
    {
      eventType: 'flow.deleted',
      actorName: 'Grace',
      actorId: 'u-2',
      project: 'mobile',
      metadata: '{"ip": "10.0.0.2"}',
    },
    { eventType: 'login.failed', actorName: null, actorId: null, metadata: '{"ip": "10.0.0.1"}' },
    {
      eventType: 'login.succeeded',
      actorName: 'CI',
      actorId: 'k-1',
      sessionType: 'api_key',
      metadata: '{"n": 12345678901234567890123}',
    },
  ]);
  const page = await browser.newPage(options);
  await page.goto(`${origin}${logs}${search}`);
  return { page, db, origin };
}

const typesOf = (page: Page) =>
  page.locator('[data-row]').evaluateAll((rows) => rows.map((row) => row.textContent.trim()));
const searchOf = (page: Page) => new URL(page.url()).search;
const expectTypes = (page: Page, types: string[]) => expect.poll(() => typesOf(page)).toEqual(types);

describe('filters', () => {
  it('take several event types, and come back with Back, Forward and a reload', async () => {
    const { page } = await openList();
    await page.getByText('Event type', { exact: true }).first().click();
    await page.getByLabel('flow.created', { exact: true }).check();
    await expectTypes(page, ['flow.created']);
    await page.getByLabel('login.failed', { exact: true }).check();
    await expectTypes(page, ['login.failed', 'flow.created']);
    expect(searchOf(page)).toBe('?type=flow.created&type=login.failed');
    await expectAccessible(page);
    await screenshot(page, 'filters-types');
    await page.goBack();
    await expectTypes(page, ['flow.created']);
    expect(searchOf(page)).toBe('?type=flow.created');
    expect(await page.locator('input[name=type]:checked').count()).toBe(1);
    await page.goForward();
    await expectTypes(page, ['login.failed', 'flow.created']);
    await page.reload();
    await expectTypes(page, ['login.failed', 'flow.created']);
    await page.goBack();
    await page.goBack();
    await expectTypes(page, ['login.succeeded', 'login.failed', 'flow.deleted', 'flow.created']);
    expect(searchOf(page)).toBe('');
  });

  it('find an actor by name or id, a project or none, a session type', async () => {
    const { page } = await openList();
    await page.locator('.filters summary', { hasText: 'Actor' }).click();
    await page.getByLabel('Find an actor, or enter a name or id exactly').fill('u-2');
    await page.keyboard.press('Enter');
    await expectTypes(page, ['flow.deleted']);
    expect(searchOf(page)).toBe('?actor=u-2');
    await page.locator('.chip', { hasText: 'Actor: u-2' }).click();
    await expectTypes(page, ['login.succeeded', 'login.failed', 'flow.deleted', 'flow.created']);
    expect(searchOf(page)).toBe('');
    await page.locator('.filters summary', { hasText: 'Project' }).click();
    await page.getByLabel('No project: the organization itself', { exact: true }).check();
    await expectTypes(page, ['login.succeeded', 'login.failed']);
    expect(searchOf(page)).toBe('?noproject=1');
    await page.locator('.filters summary', { hasText: 'Session' }).click();
    await page.getByLabel('API key', { exact: true }).check();
    await expectTypes(page, ['login.succeeded']);
    expect(searchOf(page)).toBe('?noproject=1&session=api_key');
    await page.getByRole('link', { name: 'Clear filters' }).click();
    await expectTypes(page, ['login.succeeded', 'login.failed', 'flow.deleted', 'flow.created']);
    await page.locator('.filters summary', { hasText: 'Project' }).click();
    await page.getByLabel('Find a project, or enter one exactly').fill('web');
    await page.keyboard.press('Enter');
    await expectTypes(page, ['flow.created']);
  });

  it('take a preset range and a range of one’s own', async () => {
    const { page } = await openList();
    await page.locator('.filters summary', { hasText: 'Time' }).click();
    await page.getByLabel('Last hour').check();
    await expect.poll(() => searchOf(page)).toBe('?range=1h');
    await page.getByLabel('To, not included').fill('2020-01-01T00:00');
    await page.getByRole('heading', { name: 'No entries in this range' }).waitFor();
    expect(searchOf(page)).toBe('?to=2020-01-01T00%3A00');
    await page.locator('.chip', { hasText: 'Before 2020-01-01 00:00 UTC' }).click();
    await expectTypes(page, ['login.succeeded', 'login.failed', 'flow.deleted', 'flow.created']);
    expect(searchOf(page)).toBe('?range=all');
  });

  it('search any part of an entry as one types, mark it, and add no steps to Back', async () => {
    const { page } = await openList();
    const before = await page.evaluate<number>('history.length');
    await page.locator('#q').pressSequentially('100% sure_');
    await expectTypes(page, ['flow.created']);
    await expect.poll(() => searchOf(page)).toBe('?q=100%25+sure_');
    expect(await page.locator('.excerpt mark').allTextContents()).toEqual(['100%', 'Sure_']);
    expect(await page.evaluate<number>('history.length')).toBe(before);
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('q');
    await page.locator('#q').fill('LOGIN.f');
    await expectTypes(page, ['login.failed']);
    expect(await page.locator('[data-row] mark').textContent()).toBe('login.f');
    await page.locator('#q').fill('12345678901234567890123');
    await expectTypes(page, ['login.succeeded']);
    await expect.poll(() => page.locator('#status').textContent()).toBe('1 entry');
  });

  it('say what was wrong with an address, and show the rest', async () => {
    const { page } = await openList('?has=%7B&range=99d&type=flow.created');
    await expectTypes(page, ['flow.created']);
    const problems = await page.locator('.problems').textContent();
    expect(problems).toContain('“{” is not a JSON object, so it was ignored.');
    expect(problems).toContain('“99d” is not a range');
    await expectAccessible(page);
    await screenshot(page, 'filters-problems');
  });

  it('work without JavaScript: choosing, searching, paging', async () => {
    const { page, db, origin } = await openList('', { javaScriptEnabled: false });
    await page.locator('.filters summary', { hasText: 'Event type' }).click();
    await page.getByRole('link', { name: 'List all values with their counts' }).first().click();
    await page.locator('.filters summary', { hasText: 'Event type' }).click();
    await page.getByLabel('flow.created', { exact: true }).check();
    await page.getByRole('button', { name: 'Apply' }).click();
    await expectTypes(page, ['flow.created']);
    expect(await page.locator('.chip', { hasText: 'flow.created' }).count()).toBe(1);
    await page.locator('.chip', { hasText: 'flow.created' }).click();
    await page.locator('#q').fill('10.0.0.2');
    await page.keyboard.press('Enter');
    await expectTypes(page, ['flow.deleted']);
    await screenshot(page, 'filters-no-script');
    await writePageEntries(
      db,
      Array.from({ length: 60 }, () => ({ eventType: 'more.of_it' })),
    );
    await page.goto(origin + logs);
    await page.getByRole('link', { name: 'Load older' }).click();
    await expect
      .poll(async () => (await typesOf(page)).filter((type) => type !== 'more.of_it'))
      .toHaveLength(4);
    await page.getByRole('link', { name: 'Back to the newest' }).click();
    await expect.poll(() => typesOf(page)).toHaveLength(50);
  });
});
