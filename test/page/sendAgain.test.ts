/** "Send again …": a range of entries, asked for on the page, with how many, how far it is, and a way back. */
import { expect, it } from 'vitest';
import { expectAccessible, screenshot, useBrowser } from '../tools/browser.ts';
import { insertEntries, migrateDatabase, numbered } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startProduct } from './product.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();

it.each([
  ['with a script', true],
  ['without one', false],
])('sends a range again, %s', { timeout: 60_000 }, async (_how, javaScriptEnabled) => {
  const { db, receiver, url } = await startProduct(postgres);
  const page = await browser.newPage({ javaScriptEnabled, expectedErrors: [/422/] });
  await page.goto(`${url}/new`);
  await page.getByLabel('Endpoint URL').fill(receiver.endpoint);
  await page.getByRole('button', { name: 'Add destination' }).click();
  await page.getByText('The destination was added.').waitFor();
  await insertEntries(db, numbered(3, { eventType: 'a.march', occurredAt: '2026-03-02T10:00:00Z' }));
  await receiver.waitFor((all) => all.records.filter((each) => each.eventName === 'a.march').length === 3);

  await page.getByRole('link', { name: 'Send again…' }).click();
  await page.getByRole('heading', { name: /^Send again to / }).waitFor();
  await page.getByLabel('From (UTC)').fill('2026-03-03T00:00');
  await page.getByLabel('Until, not included (UTC)').fill('2026-03-02T00:00');
  await page.getByRole('button', { name: 'Send again' }).click();
  await page.getByText('“Until” must be later than “From”.').waitFor();
  await page.getByLabel('From (UTC)').fill('2026-03-02T00:00');
  await page.getByLabel('Until, not included (UTC)').fill('2026-03-03T00:00');
  await page.getByRole('button', { name: 'How many?' }).click();
  await page.getByText('3 entries of this range will be sent again.').waitFor();
  if (javaScriptEnabled) await expectAccessible(page);
  await screenshot(page, `again-count-${javaScriptEnabled}`);

  receiver.answerWith(({ records }) => ({
    status: records.some(({ attributes }) => attributes.has('audit.replay.id')) ? 503 : 200,
  }));
  await page.getByRole('button', { name: 'Send again' }).click();
  await page.getByText('The range is being sent again.').waitFor();
  await receiver.waitFor((all) => all.records.some(({ attributes }) => attributes.has('audit.replay.id')));
  await page.goto(page.url().replace(/(\/again)?(\?.*)?$/, '/again'));
  await expect
    .poll(
      async () => {
        await page.reload();
        return await page.getByText(/0 of 3 entries sent again\. .*503/).count();
      },
      { timeout: 15_000 },
    )
    .toBe(1);
  if (javaScriptEnabled) await expectAccessible(page);
  await screenshot(page, `again-failing-${javaScriptEnabled}`);
  if (javaScriptEnabled) {
    receiver.answerWith({ status: 200 });
    await page.goto(page.url().replace(/\/again$/, ''));
    await page.getByText('3 entries sent again.', { exact: true }).waitFor({ timeout: 20_000 });
    await screenshot(page, 'again-done');
  } else {
    await page.getByRole('button', { name: 'Cancel it' }).click();
    await page.getByText('The replay ends where it is.').waitFor();
    await page.getByText(/It was canceled by /).waitFor();
  }
  const told = await db.query<{ event_type: string }>(
    `select event_type from audit.entries where event_type like 'audit_export.replay%' order by id`,
  );
  expect(told.rows.map((row) => row.event_type)).toEqual([
    'audit_export.replay_requested',
    ...(javaScriptEnabled ? [] : ['audit_export.replay_canceled']),
  ]);
});
