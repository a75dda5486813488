/** Downloads: exactly the filter, at the taker's pace, recorded, and never a part that looks like the whole. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { expectAccessible, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { makePageEntries, writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

describe('a download', () => {
  it('is every entry of the filter and no other, newest first, with exact numbers', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    const ids = await writePageEntries(
      db,
      Array.from({ length: 1_200 }, (_, n) => ({
        eventType: n % 2 === 0 ? 'even.one' : 'odd.one',
        metadata: `{"n": 9007199254740993.${n}}`,
      })),
    );
    await writePageEntries(db, makePageEntries(20, 'globex'));
    const response = await fetch(`${origin}${logs}/entries.ndjson?type=even.one`);
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="audit-logs-acme-\d{4}-\d\d-\d\d\.ndjson"; filename\*=/,
    );
    const lines = (await response.text()).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(ids.filter((_, n) => n % 2 === 0).toReversed());
    expect(lines[0]).toContain('"metadata":{"n": 9007199254740993.1198}');
    const csv = await (await fetch(`${origin}${logs}/entries.csv?q=740993.77%7D`)).text();
    expect(csv.split('\r\n')[1]).toMatch(
      /^78,.*,odd\.one,u-1,Grace Hopper,user,,"\{""n"": 9007199254740993\.77\}",n 9007199254740993\.77$/,
    );
  });

  it('is recorded as an entry of its own before its first byte', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, makePageEntries(3));
    await (await fetch(`${origin}${logs}/entries.csv?q=flow&range=7d`)).text();
    const { rows } = await db.query(
      `select event_type, actor_id, actor_name, metadata from audit.entries where event_type = 'audit_logs.exported'`,
    );
    expect(rows).toEqual([
      {
        event_type: 'audit_logs.exported',
        actor_id: 'u-ada',
        actor_name: 'Ada Lovelace',
        metadata: { format: 'csv', filter: expect.objectContaining({ text: 'flow' }) },
      },
    ]);
  });

  it('is refused in words when the address is not a filter', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    const response = await fetch(`${origin}${logs}/entries.csv?has=%7B`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('is not a JSON object, so it was ignored.');
    expect((await db.query('select 1 from audit.entries')).rowCount).toBe(0);
  });

  it('waits for a slow taker with bounded memory, and stops reading when that one leaves', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await db.query(
      `insert into audit.entries (organization, event_type, metadata)
       select 'acme', 'big.one', jsonb_build_object('n', n, 'text', repeat(md5(n::text), 6000)) from generate_series(1, 400) n`,
    );
    const before = process.memoryUsage().rss;
    const taker = request(`${origin}${logs}/entries.ndjson`);
    const response = await new Promise<import('node:http').IncomingMessage>((resolve) => {
      taker.on('response', resolve);
      taker.end();
    });
    response.pause();
    const reading = async () =>
      Number(
        (await db.query(`select coalesce(sum(n_tup_ins + idx_scan), 0) as n from pg_stat_user_tables`))
          .rows[0]?.n,
      );
    let last = await reading();
    await waitFor(async () => {
      const now = await reading();
      const isStill = now === last;
      last = now;
      return isStill;
    });
    expect(process.memoryUsage().rss - before, 'bytes held for 77 MB of entries').toBeLessThan(60_000_000);
    response.destroy();
    await waitFor(async () => {
      const { rows } = await db.query(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`,
      );
      return rows[0]?.n === 0;
    });
  });

  it('breaks the connection when the database fails half-way', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await db.query(
      `insert into audit.entries (organization, event_type, metadata)
       select 'acme', 'big.one', jsonb_build_object('n', n, 'text', repeat(md5(n::text), 3000)) from generate_series(1, 600) n`,
    );
    const response = await fetch(`${origin}${logs}/entries.ndjson`);
    const reader = response.body?.getReader();
    await reader?.read();
    await db.query('drop table audit.entries cascade');
    await expect(
      (async () => {
        for (;;) if ((await reader?.read())?.done) return;
      })(),
    ).rejects.toThrow();
  });

  it('says in the page how far it is, and saves what has come', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, makePageEntries(120));
    const page = await browser.newPage();
    await page.goto(`${origin}${logs}`);
    await page.getByText('Download', { exact: true }).click();
    await screenshot(page, 'download-menu');
    await expectAccessible(page);
    const saved = page.waitForEvent('download');
    await page.getByRole('link', { name: 'CSV' }).click();
    const download = await saved;
    expect(download.suggestedFilename()).toMatch(/^audit-logs-acme-\d{4}-\d\d-\d\d\.csv$/);
    const content = await readFile(await download.path(), 'utf8');
    expect(content.split('\r\n')).toHaveLength(122);
    await page.getByText(/^Downloaded 120 entries, \d+ kB\.$/).waitFor();
    await expectAccessible(page);
    await screenshot(page, 'download-done');
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await page.locator('#progress').isVisible()).toBe(false);
  });

  it('follows the filter as it changes, and says when it failed', { timeout: 60_000 }, async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [{ eventType: 'a.one' }, { eventType: 'b.two' }]);
    const page = await browser.newPage({ expectedErrors: [/500/] });
    await page.goto(`${origin}${logs}`);
    await page.locator('#q').fill('b.two');
    await expect.poll(() => page.locator('[data-row]').count()).toBe(1);
    expect(await page.locator('[data-download][href*=".ndjson"]').getAttribute('href')).toBe(
      `${logs}/entries.ndjson?q=b.two`,
    );
    await db.query('drop table audit.entries cascade');
    await page.getByText('Download', { exact: true }).click();
    await page.getByRole('link', { name: 'NDJSON' }).click();
    await page.getByText('The download failed; nothing was saved. Something went wrong.').waitFor();
  });
});
