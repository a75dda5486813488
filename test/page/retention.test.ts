/** The drawer that says how long entries are kept, what that waits for, and what is held. */
import { expect, it } from 'vitest';
import { expectAccessible, useBrowser } from '../tools/browser.ts';
import { insertEntries, migrateDatabase } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const list = '/organizations/acme/audit-logs';
const old = '2020-01-02T03:04:05Z';

it('says that entries are kept forever, as long as nobody has set a period', async () => {
  const { origin } = await startPageUnderTest(postgres);
  const shown = await (await fetch(`${origin}${list}/retention`)).text();
  expect(shown).toContain('Entries are kept forever.');
  expect(shown).toContain('No entry is held.');
});

it('is reached from the end of the list and from the help, and names what keeps old entries', async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  await insertEntries(db, [
    { eventType: 'held', occurredAt: old },
    { eventType: 'waits', occurredAt: '2021-01-01T00:00:00Z' },
    { eventType: 'young' },
  ]);
  await db.query(`select audit.set_retention('acme', '1 year'),
    audit.hold('acme', 'Case <7>', until => '2020-06-01Z', actor => null), audit.hold('acme', 'Ada', actor => 'u-1')`);
  await db.query(
    `insert into audit.streams (config_key, organization, destination, cluster, settled)
     values ('k', 'acme', 'default.siem', audit.cluster_id(), '3:3:')`,
  );
  await db.query(`select audit.delete_expired('acme')`);

  const page = await browser.newPage();
  await page.goto(`${origin}${list}?range=all`);
  await page.getByRole('link', { name: 'How long entries are kept' }).click();
  const drawer = page.locator('#drawer:modal');
  await drawer.getByRole('heading', { name: 'Retention' }).waitFor();
  const words = ((await drawer.textContent()) ?? '').replaceAll(/\s+/g, ' ');
  expect(words).toContain('Entries are kept for 1 year, by their date.');
  expect(words).toContain('2 entries stay past the period, not delivered to siem yet.');
  expect(words).toContain('1 entry stays past the period, held.');
  expect(words).toContain('The oldest entry is from 2020-01-02 03:04:05 UTC.');
  expect(words).toContain('Case <7>to before 2020-06-01 00:00:00 UTC');
  expect(words).toContain('AdaAll of u-1');
  expect(new URL(page.url()).pathname).toBe(`${list}/retention`);
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect.poll(() => new URL(page.url()).pathname).toBe(list);
  await page.getByRole('link', { name: 'Help' }).click();
  await page.getByRole('link', { name: 'How long your entries are kept' }).click();
  await drawer.getByRole('heading', { name: 'Retention' }).waitFor();
});
