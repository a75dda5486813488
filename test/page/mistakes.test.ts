/**
 * The mistakes that people make when they set up an export: what they type, what the page says, and that its button leads to a delivered
 * record. A new one is a row in mistakes/.
 */
import { beforeAll, expect, it } from 'vitest';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { migrateDatabase } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { certificates } from './mistakes/certificates.ts';
import { endpoints } from './mistakes/endpoints.ts';
import { headers } from './mistakes/headers.ts';
import { paths } from './mistakes/paths.ts';
import { ports } from './mistakes/ports.ts';
import { requests } from './mistakes/requests.ts';
import type { Mistake } from './mistakes/servers.ts';
import { tryForm } from './tryForm.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const isWithoutCollector = isToolMissing('otelcol');
beforeAll(() => (isWithoutCollector ? undefined : provideTool('otelcol').then(() => {})), toolTimeoutMs);

const mistakes = [...endpoints, ...ports, ...certificates, ...paths, ...headers, ...requests];
const took = 'took the test record';
const secret = 'hush-hush-hush';

async function makeMistake({ type, says, button, isRepaired = false }: Mistake): Promise<void> {
  const page = await startPageUnderTest(postgres);
  const fields = await type();
  const said = await tryForm(page, fields);
  expect(said.text).toMatch(says);
  expect(said.text.includes(took)).toBe(isRepaired);
  expect(said.labels).toEqual(button === undefined ? [] : [expect.stringMatching(button)]);
  const [fix] = said.fixes;
  const isLessSafe = fix?.startsWith('set endpoint http:') && !fields['endpoint']?.startsWith('http:');
  if (isLessSafe) expect(said.labels[0]).toContain('without encryption');
  const after = fix === undefined ? said : await tryForm(page, { ...fields, fix });
  if (fix !== undefined) expect(after.text).toContain(took);
  // What proves who asks is in no record and no log; what was typed as a header is in no answer either.
  const { rows } = await page.db.query<{ kept: string }>(
    `select coalesce(string_agg(metadata::text, ''), '') as kept from audit.entries`,
  );
  const isHeader = Object.entries(fields).some(
    ([name, text]) => name !== 'endpoint' && text.includes(secret),
  );
  const shown = isHeader ? said.html + after.html : '';
  expect(shown + rows[0]?.kept + page.log.join('')).not.toContain(secret);
}

it.each(mistakes.filter(({ needs }) => needs === undefined))('$what', makeMistake);
it.skipIf(isWithoutCollector).each(mistakes.filter(({ needs }) => needs !== undefined))('$what', makeMistake);

it('each mistake is in the table once', () => {
  expect(new Set(mistakes.map(({ what, says }) => `${what} ${says}`)).size).toBe(mistakes.length);
});
