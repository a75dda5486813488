/** What records a download, and what is refused before anything is recorded. */
import { request } from 'node:http';
import { expect, it } from 'vitest';
import { useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { makePageEntries, writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

/** Node's fetch puts its own Fetch Metadata in place of ours. */
function send(
  url: string,
  method: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (body += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}

it.each([
  ['cross-site', 403, 0],
  ['same-site', 403, 0],
  ['same-origin', 200, 1],
  ['none', 200, 1],
])('a navigation from %s is answered %i', async (site, status, recorded) => {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, makePageEntries(3));
  const headers = { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
  for (const format of ['csv', 'ndjson']) {
    expect((await send(`${origin}${logs}/entries.${format}`, 'GET', headers)).status).toBe(status);
  }
  const { rowCount } = await db.query(`select from audit.entries where event_type = 'audit_logs.exported'`);
  expect(rowCount).toBe(2 * recorded);
});

it('a look at the headers is no download', async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, makePageEntries(3));
  expect(await send(`${origin}${logs}/entries.csv`, 'HEAD', {})).toEqual({ status: 200, body: '' });
  expect(
    (await db.query(`select from audit.entries where event_type = 'audit_logs.exported'`)).rowCount,
  ).toBe(0);
});

it('an address that names no possible time is refused, and nothing is recorded', async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  expect((await send(`${origin}${logs}?from=0000-01-01`, 'GET', {})).status).toBe(200);
  const refused = await send(`${origin}${logs}/entries.csv?from=0000-01-01`, 'GET', {});
  expect([refused.status, (await db.query('select from audit.entries')).rowCount]).toEqual([400, 0]);
});

it('a value with blanks at its ends is another one', async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, [
    { eventType: 'a.one', actorId: null, actorName: 'Ada' },
    { eventType: 'a.two', actorId: null, actorName: 'Ada\u00a0' },
    { eventType: 'a.three', actorId: null, actorName: '\tAda ' },
  ]);
  for (const [actor, type] of [
    ['Ada', 'a.one'],
    ['Ada\u00a0', 'a.two'],
    ['\tAda ', 'a.three'],
  ] as const) {
    const { body } = await send(
      `${origin}${logs}/entries.ndjson?${new URLSearchParams({ actor })}`,
      'GET',
      {},
    );
    expect(
      body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).eventType),
    ).toEqual([type]);
  }
});

it('blanks alone are a value, and an empty one is none', async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, [
    { eventType: 'a.blank', actorId: ' ', actorName: null, project: '\u00a0' },
    { eventType: 'a.empty', actorId: '', actorName: null, project: '' },
    { eventType: 'a.long', actorId: 'x'.repeat(257), actorName: null, project: '😀'.repeat(257) },
    { eventType: 'a.broad', actorId: '😀'.repeat(256), actorName: null },
  ]);
  const typesOf = async (search: Record<string, string>) =>
    [
      ...(
        await send(`${origin}${logs}/entries.ndjson?${new URLSearchParams(search)}`, 'GET', {})
      ).body.matchAll(/"eventType":"(a\.\w+)"/g),
    ].map(([, type]) => type);
  expect(await typesOf({ actor: ' ' })).toEqual(['a.blank']);
  expect(await typesOf({ project: '\u00a0' })).toEqual(['a.blank']);
  expect(await typesOf({ actor: '😀'.repeat(256) })).toEqual(['a.broad']);
  const { rows } = await db.query<{ id: string; event_type: string }>(
    `select id::text, event_type from audit.entries where event_type in ('a.empty', 'a.long')`,
  );
  for (const { id, event_type } of rows) {
    const { body } = await send(`${origin}${logs}/entries/${id}`, 'GET', {});
    const facts = body.slice(body.indexOf('<dt>Actor'), body.indexOf('<dt>Entry id'));
    // Only the session type leads to a list.
    expect(facts.match(/<a /g), event_type).toHaveLength(1);
  }
  const offered = async (name: string) => {
    const { body } = await send(`${origin}${logs}/values/${name}`, 'GET', {});
    return [...body.matchAll(new RegExp(` name="${name}" value="([^"]*)"`, 'g'))]
      .map(([, value]) => value)
      .sort();
  };
  expect(await offered('actor')).toEqual([' ', 'u-ada', '😀'.repeat(256)]);
  expect(await offered('project')).toEqual(['\u00a0']);
});

it('a time in microseconds survives the next choice, exactly', async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, [{ eventType: 'a.one' }, { eventType: 'a.two' }]);
  const page = await browser.newPage({ javaScriptEnabled: false });
  const range = 'from=2026-02-03T14%3A05%3A06.123456&to=2026-02-03T14%3A05%3A06.999999';
  await page.goto(`${origin}${logs}?${range}`);
  expect(await page.locator('#from').inputValue()).toBe('2026-02-03T14:05:06.123');
  expect(await page.locator('#to').inputValue()).toBe('2026-02-03T14:05:07');
  await page.locator('#q').fill('x');
  await page.getByRole('button', { name: 'Apply' }).click();
  const chip = page.locator('.chip', { hasText: '14:05:06.123456' });
  await chip.waitFor();
  expect(await page.getByRole('link', { name: 'Clear filters' }).first().getAttribute('href')).toBe(
    `${logs}?${range}`,
  );
  await page.locator('.filters summary', { hasText: 'Time' }).click();
  await page.locator('#to').fill('2026-02-03T15:00');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.locator('.chip', { hasText: '14:05:06.123456 to 2026-02-03 15:00 UTC' }).waitFor();
});

it.each([
  '0000-01-01',
  '10000-01-01',
  '-0044-03-15',
  'infinity',
  '-infinity',
  '2026-02-30',
  'now',
  '0044-03-15 BC',
])('a range from or to %s is refused in words', async (time) => {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, [{}]);
  for (const key of ['from', 'to']) {
    const search = new URLSearchParams({ [key]: time });
    const list = await send(`${origin}${logs}?${search}`, 'GET', {});
    expect([list.status, list.body.includes('is not a time such as')]).toEqual([200, true]);
    expect((await send(`${origin}${logs}/entries.csv?${search}`, 'GET', {})).status).toBe(400);
    expect((await send(`${origin}${logs}/newer?${search}`, 'GET', {})).status).toBe(204);
  }
  expect((await db.query('select from audit.entries')).rowCount).toBe(1);
});

it.each(['0001-01-01', '1969-12-31', '2200-01-01', '9999-12-31'])(
  'a range from or to %s is a range',
  async (time) => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [{ eventType: 'a.one' }]);
    const isLate = time > '2100';
    for (const key of ['from', 'to']) {
      const search = new URLSearchParams({ [key]: time });
      const { status, body } = await send(`${origin}${logs}?${search}`, 'GET', {});
      expect([status, body.includes('a.one</bdi></a>')], key).toEqual([200, (key === 'to') === isLate]);
      expect((await send(`${origin}${logs}/entries.csv?${search}`, 'GET', {})).status).toBe(200);
    }
  },
);

it('a range that ends before it begins is an answer in words, and no file', async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, [{}]);
  for (const search of [
    'from=2026-02-04&to=2026-02-03',
    'from=2026-02-03T14:05&to=2026-02-03T14:05:00.000',
  ]) {
    const list = await send(`${origin}${logs}?${search}`, 'GET', {});
    expect([list.status, list.body.includes('This range is empty')]).toEqual([200, true]);
    const file = await send(`${origin}${logs}/entries.csv?${search}`, 'GET', {});
    expect([file.status, file.body.includes('which is not later')]).toEqual([400, true]);
  }
  expect((await db.query('select from audit.entries')).rowCount).toBe(1);
});

it('a download that could not begin is not recorded', async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, [{}]);
  await db.query(
    `create or replace function audit.fold(value text) returns text language plpgsql as 'begin raise ''broken''; end'`,
  );
  expect((await send(`${origin}${logs}/entries.csv?q=x`, 'GET', {})).status).toBe(500);
  expect((await db.query('select from audit.entries')).rowCount).toBe(1);
});
