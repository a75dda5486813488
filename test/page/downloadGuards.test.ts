/** What records a download, and what is refused before anything is recorded. */
import { request } from 'node:http';
import { expect, it } from 'vitest';
import { migrateDatabase } from '../tools/database.ts';
import { makePageEntries, writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
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

it('a time in microseconds survives the next choice, with all that it covers', async () => {
  const { origin } = await startPageUnderTest(postgres);
  const from = '2026-02-03T14:05:06.123456';
  const to = '2026-02-03T14:05:06.999999';
  const { body } = await send(`${origin}${logs}?from=${from}&to=${to}`, 'GET', {});
  expect(body).toContain('name="from" type="datetime-local" value="2026-02-03T14:05:06.123"');
  expect(body).toContain('name="to" type="datetime-local" value="2026-02-03T14:05:07.000"');
});
