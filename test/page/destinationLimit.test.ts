/** How many destinations an organization may have, and what those that are gone still cost. */
import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { insertEntries, migrateDatabase } from '../tools/database.ts';
import { type PageUnderTest, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const logs = '/organizations/acme/audit-logs';

async function add(page: PageUnderTest, name: string): Promise<Response> {
  return await fetch(`${page.origin}${logs}/export/new`, {
    method: 'POST',
    redirect: 'manual',
    headers: { Origin: page.origin },
    body: new URLSearchParams({
      // Nothing listens there.
      op: 'add-anyway',
      name,
      endpoint: 'https://otel.example.com',
      maxBatchSize: '5',
      compression: 'gzip',
      timeoutSeconds: '10',
    }),
  });
}

it('adds no more than the limit, however many ask at once', async () => {
  const page = await startPageUnderTest(postgres, { context: { maxDestinations: 3 } });
  const answers = [];
  for (let round = 0; round < 3; round++) {
    answers.push(...(await Promise.all(['a', 'b', 'c'].map((name) => add(page, `${name}${round}`)))));
  }
  expect(answers.map(({ status }) => status).filter((status) => status === 303)).toHaveLength(3);
  expect((await readdir(page.directory)).filter((file) => file.endsWith('.yaml'))).toHaveLength(3);
  const refused = answers.at(-1);
  expect(refused?.status).toBe(409);
  expect(await refused?.text()).toContain('An organization can have 3 destinations here');
  const list = await (await fetch(`${page.origin}${logs}/export`)).text();
  expect(list).toContain('An organization can have 3 destinations here');
  expect(list).not.toContain('Add destination');
});

it('adds ten where nothing is set', async () => {
  const page = await startPageUnderTest(postgres);
  for (let n = 0; n < 10; n++) expect((await add(page, `d${n}`)).status).toBe(303);
  expect((await add(page, 'd10')).status).toBe(409);
});

it('names what another organization has to nobody, and what is one’s own', async () => {
  const page = await startPageUnderTest(postgres, {
    viewer: { id: 'u-both', name: null, administers: new Set(['acme', 'globex']) },
  });
  const first = await add(page, 'siem');
  expect(first.headers.get('location')).toMatch(/\/default\.siem\?done=created$/);
  const again = await add(page, 'siem');
  expect(again.status).toBe(422);
  expect(await again.text()).toContain('is taken');
  const other = await fetch(`${page.origin}/organizations/globex/audit-logs/export/new`, {
    method: 'POST',
    redirect: 'manual',
    headers: { Origin: page.origin },
    body: new URLSearchParams({
      op: 'add-anyway',
      // What acme has.
      name: 'siem',
      endpoint: 'https://otel.example.com',
      maxBatchSize: '5',
      compression: 'gzip',
      timeoutSeconds: '10',
    }),
  });
  expect(other.status).toBe(303);
  expect(other.headers.get('location')).toMatch(/\/default\.siem-[0-9a-f]{6}\?done=created$/);
});

it('looks through ten destinations that are gone, and says that there were more', async () => {
  const page = await startPageUnderTest(postgres);
  const [id] = await insertEntries(page.db, [{}]);
  await page.db.query(
    `insert into audit.streams (config_key, organization, cluster, settled, created_at)
     select 'directory/default/gone-' || lpad(n::text, 3, '0'), 'acme', (select max(cluster) from audit.entries),
       pg_current_snapshot(), now() - make_interval(secs => 1000 - n)
     from generate_series(1, 200) n`,
  );
  const text = await (await fetch(`${page.origin}${logs}/entries/${id}`)).text();
  const shown = text.match(/gone-\d{3} \(deleted\)/g);
  expect(shown).toHaveLength(10);
  expect(shown?.at(-1)).toBe('gone-200 (deleted)');
  expect(text).toContain('Only the 10 most recently deleted destinations are shown.');
});
