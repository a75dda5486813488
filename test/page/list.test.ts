/** The list of entries: order, pages, columns, and what it says when there is nothing. */
import { describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { expectAccessible, expectNoSidewaysScroll, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { makePageEntries, writePageEntries } from '../tools/pageEntries.ts';
import { ada, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';
const dayMs = 86_400_000;

describe('the list', () => {
  it('shows the newest first, 50 a page, and every entry once to the end', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    const ids = await writePageEntries(db, makePageEntries(120));
    await writePageEntries(db, makePageEntries(5, 'globex'));
    const page = await browser.newPage();
    await page.goto(origin + logs);
    const shown = () =>
      page.locator('[data-row]').evaluateAll((rows) => rows.map((row) => row.id.replace('entry-', '')));
    expect(await shown()).toEqual(ids.toReversed().slice(0, 50));
    await expect.poll(() => page.locator('#status').textContent()).toBe('120 entries');
    await page.getByRole('link', { name: 'Load older' }).click();
    await page.waitForSelector('[data-row] >> nth=99');
    await page.getByRole('link', { name: 'Load older' }).click();
    await page.getByText('Last 30 days: no more entries.').waitFor();
    expect(await shown()).toEqual(ids.toReversed());
    expect(new URL(page.url()).search).toBe('');
    await expect.poll(() => page.locator('#status').textContent()).toBe('20 more entries');
  });

  it('reads what stands beside the entries at the same time as them', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, makePageEntries(3));
    const locker = await db.connect();
    await locker.query('begin; lock table audit.entries, audit.ledgers in access exclusive mode');
    const asked = fetch(origin + logs);
    // How far they are sealed does not depend on which are found.
    const waiting = async () => {
      const { rows } = await db.query<{ query: string }>(
        `select query from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return ['from audit.ledgers', 'audit.entries'].every((part) =>
        rows.some(({ query }) => query.includes(part)),
      );
    };
    try {
      await waitFor(waiting);
    } finally {
      await locker.query('rollback');
      locker.release();
    }
    expect(await (await asked).text()).toContain('Audit entries, newest first');
  });

  it('marks who is no person, and says where there is no project', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [
      { actorName: 'CI', actorId: 'k-1', sessionType: 'api_key', project: 'web' },
      { actorName: 'Slack', actorId: 'c-1', sessionType: 'oauth2_client' },
      { actorName: 'nightly', actorId: null, sessionType: 'service_account' },
      { actorName: null, actorId: null },
    ]);
    const page = await browser.newPage();
    await page.goto(origin + logs);
    const cells = await page
      .locator('.entry')
      .evaluateAll((rows) =>
        rows.map((row) =>
          [...row.querySelectorAll('td')]
            .slice(2, 4)
            .map((cell) => cell.textContent.replace(/\s+/g, ' ').trim()),
        ),
      );
    expect(cells).toEqual([
      ['Unknown', '—No project: the organization'],
      ['nightly Service account', '—No project: the organization'],
      ['Slack c-1 OAuth2 client', '—No project: the organization'],
      ['CI k-1 API key', 'web'],
    ]);
  });

  it('begins with how entries come, and with SQL only on one’s own machine', async () => {
    const other = await startPageUnderTest(postgres);
    for (const search of ['', '?range=all', '?q=x&type=y']) {
      const html = await (await fetch(`${other.origin}${logs}${search}`)).text();
      expect(html, search).toContain('<h2>No entries yet</h2>');
      expect(html, search).not.toContain('insert into');
    }
    const { origin } = await startPageUnderTest(postgres, { viewer: { ...ada, administers: 'all' } });
    const page = await browser.newPage();
    await page.goto(`${origin}${logs}`);
    await page.getByRole('heading', { name: 'No entries yet' }).waitFor();
    expect(await page.locator('pre').textContent()).toContain("values ('acme', 'flow.created'");
    await expectAccessible(page);
    await screenshot(page, 'list-none');
  });

  it('shows 30 days unless asked for more, and says so where nothing is', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    const at = (days: number) => new Date(Date.now() - days * dayMs);
    await writePageEntries(db, [{ eventType: 'old.one', occurredAt: at(40) }]);
    const page = await browser.newPage();
    await page.goto(origin + logs);
    await page.getByRole('heading', { name: 'No entries in this range' }).waitFor();
    await expectAccessible(page);
    await screenshot(page, 'list-no-range');
    await page.getByRole('link', { name: 'Search all time' }).click();
    await page.getByRole('link', { name: 'old.one' }).waitFor();
    expect(new URL(page.url()).search).toBe('?range=all');
    expect(await page.locator('.chip').count()).toBe(0);
    await page.locator('#q').fill('no such word');
    await page.getByRole('heading', { name: 'No entry matches' }).waitFor();
    await expect.poll(() => page.locator('#status').textContent()).toBe('No entries');
    await expectAccessible(page);
    await screenshot(page, 'list-no-match');
    await page.locator('.empty').getByRole('link', { name: 'Clear filters' }).click();
    await page.getByRole('link', { name: 'old.one' }).waitFor();
    expect(await page.locator('#q').inputValue()).toBe('');
  });

  it('goes on by itself when a search takes long, says how far it is, and finds what is old', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [
      ...makePageEntries(150).map((entry) => ({ ...entry, occurredAt: new Date() })),
      { eventType: 'needle.found', metadata: '{"a": "needle"}', occurredAt: new Date(Date.now() - dayMs) },
    ]);
    await slowSearches(db);
    const page = await browser.newPage();
    await page.goto(`${origin}${logs}?q=needle`);
    await page.getByText('Searched back to').waitFor();
    await page.getByRole('link', { name: 'needle.found' }).waitFor();
    await page.getByText('Last 30 days: no more entries.').waitFor();
  });

  it('ends a search that went on by itself and found nothing in words', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(
      db,
      makePageEntries(150).map((entry) => ({ ...entry, occurredAt: new Date() })),
    );
    await slowSearches(db);
    const page = await browser.newPage();
    await page.goto(`${origin}${logs}?q=needle`);
    await page.getByText('Searched back to').waitFor();
    await page.getByRole('heading', { name: 'No entry matches' }).waitFor();
    expect(await page.locator('[data-row]').count()).toBe(0);
    await expect.poll(() => page.locator('#status').textContent()).toBe('No entries');
    await expectAccessible(page);
  });

  it('breaks a long event type between its words', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [{ eventType: 'audit_export.settings_viewed' }]);
    const page = await browser.newPage({ viewport: { width: 1024, height: 768 } });
    await page.goto(`${origin}${logs}?type=audit_export.settings_viewed`);
    const lines = await page.locator('[data-row] > bdi').evaluate((name) => {
      const found = new Map<number, string>();
      for (const part of name.childNodes) {
        const range = name.ownerDocument.createRange();
        range.selectNodeContents(part);
        const top = Math.round(range.getBoundingClientRect().top);
        found.set(top, (found.get(top) ?? '') + part.textContent);
      }
      return [...found.values()].filter((line) => line !== '');
    });
    expect(lines).toEqual(['audit_export.', 'settings_viewed']);
  });

  it('fits every width, light and dark', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, makePageEntries(80));
    const page = await browser.newPage();
    await page.goto(origin + logs);
    await screenshot(page, 'list');
    await expectAccessible(page);
    for (const [width, height] of [
      [768, 1024],
      [390, 844],
      [320, 640],
      // 1280 × 720 at 200 %
      [640, 360],
    ] as const) {
      await page.setViewportSize({ width, height });
      await expectNoSidewaysScroll(page);
      await screenshot(page, `list-${width}`);
    }
    await expectAccessible(page);
  });
});

/** Makes searches as slow as in a table that is a thousand times as large. */
async function slowSearches(db: Database): Promise<void> {
  await db.query(`alter function audit.search_text rename to fast_search_text`);
  const { rows } = await db.query<{ arguments: string }>(
    `select pg_get_function_identity_arguments(oid) as arguments from pg_proc where proname = 'fast_search_text'`,
  );
  await db.query(
    `create function audit.search_text(${rows[0]?.arguments}) returns text language plpgsql as $$
     begin perform pg_sleep(0.012); return audit.fast_search_text($1, $2, $3, $4, $5, $6); end $$`,
  );
}
