/** Questions that people bring to an audit log: how many clicks and keys each answer takes, from the open list. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { findFreePort } from '../../tools/freePort.ts';
import { useBrowser } from '../tools/browser.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered } from '../tools/database.ts';
import { makePageEntries, writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';
import { serveHttp } from '../transport/loopback.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const dayMs = 86_400_000;

/** A Tuesday, 14:10 in UTC, at least a day ago. */
function lastTuesday(): Date {
  const at = new Date(Date.now() - dayMs);
  at.setUTCHours(14, 10, 0, 0);
  while (at.getUTCDay() !== 2) at.setTime(at.getTime() - dayMs);
  return at;
}

/** A hand that counts what it does; a typed text is a key for each character. */
function handOf(page: Page) {
  const did = { clicks: 0, keys: 0 };
  const menu = (name: string) => page.locator('.filters summary', { hasText: name }).first();
  return {
    did,
    open: async (name: string) => {
      did.clicks++;
      await menu(name).click();
    },
    tick: async (name: string) => {
      did.clicks++;
      await page.locator('.filters').getByLabel(name, { exact: true }).check();
    },
    /** In the menu that is open. */
    tickValue: async (value: string) => {
      did.clicks++;
      await page.locator('.facet[open] .facet-option', { hasText: value }).locator('input').first().check();
    },
    /** Once as many bars have entries. */
    clickLastBar: async (bars: number) => {
      await expect.poll(() => page.locator('[data-bars] a .bar').count()).toBe(bars);
      did.clicks++;
      await page.locator('[data-bars] a:has(.bar)').last().click({ force: true });
    },
    type: async (field: string, text: string, keys = text.length) => {
      did.clicks++;
      did.keys += keys;
      await page.locator(field).fill(text);
    },
    press: async (key: string) => {
      did.keys++;
      await page.keyboard.press(key);
    },
    clickRow: async (name: string) => {
      did.clicks++;
      await page.locator('[data-row]', { hasText: name }).first().click();
      await page.waitForSelector('#drawer:modal');
    },
  };
}

async function openList() {
  const { origin, db, directory } = await startPageUnderTest(postgres);
  const tuesday = lastTuesday();
  const later = (minutes: number) => new Date(tuesday.getTime() + minutes * 60_000);
  await writePageEntries(db, [
    ...makePageEntries(300),
    {
      eventType: 'flow.deleted',
      actorName: 'Grace',
      actorId: 'u-9',
      metadata: '{"flow": {"name": "Payroll nightly"}}',
    },
    {
      eventType: 'key.used',
      actorName: 'deploy-bot',
      actorId: 'k-7',
      sessionType: 'api_key',
      occurredAt: tuesday,
    },
    {
      eventType: 'key.used_before',
      actorName: 'deploy-bot',
      actorId: 'k-7',
      sessionType: 'api_key',
      occurredAt: later(-3 * 1_440),
    },
    { eventType: 'web.within', project: 'storefront', occurredAt: later(-5) },
    { eventType: 'web.after', project: 'storefront', occurredAt: later(11) },
  ]);
  await writeFile(
    join(directory, 'siem.yaml'),
    [
      'apiVersion: auditexport.dev/v1',
      'kind: AuditExportConfig',
      'metadata: {name: siem, namespace: flows}',
      'spec: {organization: acme, endpoint: "http://127.0.0.1:9"}',
    ].join('\n'),
  );
  const page = await browser.newPage();
  const list = `${origin}/organizations/acme/audit-logs`;
  await page.goto(list);
  return { page, db, list, hand: handOf(page), day: tuesday.toISOString().slice(0, 10) };
}

const types = (page: Page) =>
  page.locator('[data-row]').evaluateAll((rows) => rows.map((row) => row.textContent.trim()));

it('who deleted “Payroll nightly”: no click beyond the search', async () => {
  const { page, hand } = await openList();
  await hand.press('/');
  await page.keyboard.type('payroll nightly');
  hand.did.keys += 'payroll nightly'.length;
  await expect.poll(() => types(page)).toEqual(['flow.deleted']);
  expect(await page.locator('.cell-actor').textContent()).toContain('Grace');
  expect(hand.did).toEqual({ clicks: 0, keys: 16 });
});

it('what an API key did on a Tuesday: the actor, and the bar of that day', async () => {
  const { page, hand } = await openList();
  await hand.open('Actor');
  await hand.tickValue('deploy-bot');
  await expect.poll(() => types(page)).toEqual(['key.used', 'key.used_before']);
  await hand.clickLastBar(2);
  await expect.poll(() => types(page)).toEqual(['key.used']);
  expect(hand.did).toEqual({ clicks: 3, keys: 0 });
});

it('what changed in a project between 14:00 and 14:20', async () => {
  const { page, hand, day } = await openList();
  await hand.open('Project');
  await hand.tickValue('storefront');
  await expect.poll(() => types(page)).toEqual(['web.after', 'web.within']);
  await hand.open('Time');
  await hand.type('#from', `${day}T14:00`, 12);
  await hand.type('#to', `${day}T14:20`, 12);
  await expect.poll(() => types(page)).toEqual(['web.within']);
  expect(hand.did).toEqual({ clicks: 5, keys: 24 });
});

it('which entries did not reach the SIEM: two clicks, and two more to the receiver’s words', async () => {
  const { page, db, list, hand } = await openList();
  await db.query(
    `with stream as (
       insert into audit.streams (config_key, organization, cluster, settled)
       select 'directory/flows/siem', 'acme', audit.cluster_id(), pg_current_snapshot() returning id)
     insert into audit.parked (stream, sequence, entry_id, observed_at, reason, http_status, message)
     select stream.id, 1, e.id, now(), 'Refused', 400, 'The receiver said: bad body.' from stream, audit.entries e
     where e.event_type = 'flow.deleted' and e.actor_id = 'u-9'`,
  );
  await writePageEntries(db, [{ eventType: 'came.later' }]);
  await expect
    .poll(async () => {
      await page.goto(list);
      return page.locator('.filters summary', { hasText: 'Delivery' }).count();
    })
    .toBe(1);
  await hand.open('Delivery');
  await hand.tick('siem');
  await expect.poll(() => types(page)).toEqual(['came.later', 'flow.deleted']);
  expect(new URL(page.url()).search).toBe('?undelivered=directory%2Fflows%2Fsiem');
  await page.locator('.chip', { hasText: 'Not delivered to siem' }).waitFor();
  expect(hand.did).toEqual({ clicks: 2, keys: 0 });
  await hand.press('Escape');
  await hand.clickRow('flow.deleted');
  await page.getByText('The receiver said: bad body.').waitFor();
});

it('fix the broken export: from the banner over the list, four clicks', { timeout: 120_000 }, async () => {
  const { url, db } = await setUp(postgres);
  let kept = 0;
  const receiver = await serveHttp((request, response) => {
    const isKept = request.url === '/otlp/v1/logs' && request.headers.authorization === 'Bearer good';
    if (isKept) kept++;
    request.resume().on('end', () => response.writeHead(isKept ? 200 : 404).end());
  });
  const port = await findFreePort();
  const collector = await makeCollectorProcess(url, {
    PAGE_ADDRESS: `127.0.0.1:${port}`,
    AUTH_MODE: 'local',
  });
  const headers = [{ name: 'Authorization', value: 'Bearer good' }];
  await collector.writeConfig('siem', {
    ...{
      organization: 'acme',
      endpoint: `http://127.0.0.1:${receiver.port}/v1/log`,
      headers,
      startFrom: 'Beginning',
    },
  });
  await insertEntries(db, numbered(3));
  collector.start();
  await collector.waitForStatus('siem', ({ lastError }) => lastError?.reason === 'NotFound');
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${port}/organizations/acme/audit-logs`);
  let clicks = 0;
  const click = async (role: 'link' | 'button', name: RegExp) => {
    clicks++;
    await page.getByRole(role, { name }).click();
  };
  await page.getByText('siem: Holding').waitFor();
  await click('link', /^Fix it/);
  await click('button', /^Send a test record$/);
  await click('button', /^Use http:.*\/otlp\/v1\/logs and test$/);
  await page.getByText('took the test record').waitFor();
  await click('button', /^Save$/);
  await page.getByText('Saved.').waitFor();
  const { deliveredEntries = 0 } = await collector.waitForStatus(
    'siem',
    ({ pendingEntries, conditions }) =>
      pendingEntries === 0 && conditions.some(({ reason }) => reason === 'Delivering'),
  );
  expect(deliveredEntries).toBeGreaterThanOrEqual(3);
  // One to look, one as a test, and the entries.
  expect(kept).toBeGreaterThanOrEqual(3);
  await page.getByRole('link', { name: 'Close' }).click();
  await expect.poll(() => page.locator('.export-trouble').count(), { timeout: 30_000 }).toBe(0);
  expect(clicks).toBe(4);
});
