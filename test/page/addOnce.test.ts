/** A form of a new destination that is posted twice, as by a double click without JavaScript, adds one. */
import { readdir } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { migrateDatabase } from '../tools/database.ts';
import { type PageUnderTest, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const exports = '/organizations/acme/audit-logs/export';

async function start() {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  return { page: await startPageUnderTest(postgres), receiver };
}

async function openForm({ origin }: PageUnderTest): Promise<string> {
  const html = await (await fetch(`${origin}${exports}/new`)).text();
  return /name="formId" value="([^"]+)"/.exec(html)?.[1] ?? '';
}

async function post({ origin }: PageUnderTest, fields: Record<string, string>): Promise<Response> {
  return await fetch(`${origin}${exports}/new`, {
    method: 'POST',
    redirect: 'manual',
    headers: { Origin: origin },
    body: new URLSearchParams({
      ...{ op: 'save', maxBatchSize: '5', compression: 'gzip', timeoutSeconds: '10', ...fields },
    }),
  });
}

const added = async ({ directory }: PageUnderTest): Promise<number> =>
  (await readdir(directory)).filter((file) => file.endsWith('.yaml')).length;

it('adds one, sends one test record, and answers each post with where it is', async () => {
  const { page, receiver } = await start();
  const fields = { endpoint: receiver.endpoint, formId: await openForm(page) };
  const answers = await Promise.all([post(page, fields), post(page, fields)]);
  answers.push(await post(page, fields));
  const places = answers.map(({ headers }) => headers.get('location'));
  expect(places[0]).toMatch(/\/export\/default\.[^?]+\?done=created$/);
  expect(new Set(places).size).toBe(1);
  expect(await added(page)).toBe(1);
  expect(receiver.records).toHaveLength(1);
  const told = await page.db.query(
    `select from audit.entries where event_type in ('audit_export.created', 'audit_export.requested')`,
  );
  expect(told.rowCount).toBe(3);
});

it('adds another one for another form, and for what was changed in the same one', async () => {
  const { page, receiver } = await start();
  const formId = await openForm(page);
  expect(await openForm(page)).not.toBe(formId);
  for (const fields of [{ formId }, { formId: await openForm(page) }, { formId, name: 'second' }])
    expect((await post(page, { endpoint: receiver.endpoint, ...fields })).status).toBe(303);
  expect(await added(page)).toBe(3);
});

it('lets a form that added nothing try again', async () => {
  const { page, receiver } = await start();
  const fields = { endpoint: receiver.endpoint, formId: await openForm(page) };
  receiver.answerWith({ status: 404 });
  const refused = await Promise.all([post(page, fields), post(page, fields)]);
  expect(refused.map(({ status }) => status)).toEqual([422, 422]);
  expect(await refused[0]?.text()).toContain(`value="${fields.formId}"`);
  receiver.answerWith({ status: 200 });
  expect((await post(page, fields)).status).toBe(303);
  expect(await added(page)).toBe(1);
});
