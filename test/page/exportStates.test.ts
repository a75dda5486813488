/** Every state of a destination, as its card, its drawer, the banner over the list and the delivery of an entry show it. */
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import type { ConfigEditor, EditableConfig } from '../../src/configs/configEditor.ts';
import { toEditableSpec } from '../../src/configs/editor/editableSpec.ts';
import type { Database } from '../../src/database/pool.ts';
import { type StateName, states } from '../../src/model/states.ts';
import type { Condition, LastError } from '../../src/model/streamStatus.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { expectAccessible, expectNoSidewaysScroll, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase, openDatabase } from '../tools/database.ts';
import { writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

const time = '2026-05-01T10:00:00.000Z';
const error: LastError = {
  time,
  reason: 'NotFound',
  message: `The receiver answered 404 Not Found. It says: "no such path: /${'without-a-break'.repeat(12)}".`,
  httpStatus: 404,
};

function conditions(ready: Condition['status'], reason: string, also?: Condition['type']): Condition[] {
  const common = { reason, message: 'm', lastTransitionTime: time, observedGeneration: 1 };
  return [
    { type: 'Ready', status: ready, ...common },
    ...(also ? [{ type: also, status: 'True', ...common } as const] : []),
  ];
}

interface Given {
  readonly conditions: Condition[];
  readonly lastError?: LastError;
  readonly suspend?: boolean;
  readonly problems?: string[];
  /** Of its row. */
  readonly delivered?: number;
  readonly rejected?: number;
  readonly isParked?: boolean;
  readonly isLeft?: boolean;
  readonly pending?: number;
}

const good = conditions('True', 'Delivering');
const given: Readonly<Record<StateName, Given>> = {
  starting: { conditions: conditions('Unknown', 'Progressing', 'Reconciling') },
  'nothing-sent': { conditions: good, delivered: 0 },
  delivering: { conditions: good },
  'catching-up': { conditions: good, pending: 1204 },
  incomplete: { conditions: conditions('True', 'Incomplete'), isParked: true },
  'incomplete-earlier': {
    conditions: conditions('True', 'Incomplete'),
    rejected: 12,
    lastError: { time, reason: 'PartialSuccess', message: 'The receiver rejected 12.', resolvedTime: time },
  },
  retrying: {
    conditions: conditions('False', 'Timeout', 'Reconciling'),
    lastError: { time, reason: 'Timeout', message: 'The receiver did not answer within 10 s.' },
  },
  'database-unavailable': { conditions: conditions('False', 'DatabaseUnavailable', 'Reconciling') },
  holding: { conditions: conditions('False', 'NotFound', 'Stalled'), lastError: error },
  suspended: { conditions: conditions('False', 'Suspended'), suspend: true },
  'not-reporting': { conditions: good, isLeft: true },
  misconfigured: { conditions: good, problems: ['Secret flows/acme does not exist: create it.'] },
};
const names = Object.keys(given) as StateName[];

function makeConfig(name: StateName): EditableConfig {
  const { suspend = false, problems = [], lastError, pending = 0, ...rest } = given[name];
  const spec = { organization: 'acme', endpoint: 'https://otel.example.com:4318', suspend };
  return {
    id: { namespace: 'default', name },
    key: `test/${name}`,
    revision: 'r',
    spec: toEditableSpec(spec, name),
    problems,
    owners: new Map(),
    readOnly: null,
    status: {
      observedGeneration: 1,
      conditions: rest.conditions,
      pendingEntries: pending,
      ...(pending > 0 && { oldestPendingTime: time }),
      ...(lastError && { lastError }),
    },
  };
}

function editorOf(configs: () => readonly EditableConfig[]): ConfigEditor {
  return {
    list: async () => ({ kind: 'ok', value: configs() }),
    read: async (_: string, { name }: { name: string }) => ({
      kind: 'ok',
      value: configs().find(({ id }) => id.name === name) ?? null,
    }),
  } as unknown as ConfigEditor;
}

const replica = '6f1f9d6e-0000-4000-8000-000000000001';

async function insertStreams(db: Database, entry: string): Promise<void> {
  await db.query(
    `insert into audit.replicas (id, name, wants, expires_at) values ($1, 'r', 'w', now() + interval '1 day')`,
    [replica],
  );
  for (const name of names) {
    const { delivered = 1204, rejected = 0, isParked, isLeft } = given[name];
    await db.query(
      `with made as (
         insert into audit.streams (config_key, organization, cluster, settled, holder, released_at, delivered, rejected, last_delivery_at)
         values ($1, 'acme', audit.cluster_id(), '1:1:', $2, $3, $4, $5, case when $4::bigint > 0 then $6::timestamptz end) returning id)
       insert into audit.parked (stream, sequence, entry_id, observed_at, reason, http_status, message)
       select id, 1, $7, now(), 'EntryRefused', 400, 'It says: "bad body".' from made where $8`,
      [
        `test/${name}`,
        isLeft ? null : replica,
        isLeft ? time : null,
        delivered,
        rejected,
        time,
        entry,
        isParked === true,
      ],
    );
  }
}

async function setUp(shown: () => readonly StateName[]) {
  const under = await startPageUnderTest(postgres, {
    context: {
      editor: editorOf(() => shown().map(makeConfig)),
      maxDestinations: 20,
      pace: { retryMs: 30_000, holdMs: 60_000 },
    },
  });
  const ids = await writePageEntries(under.db, [{ eventType: 'a.one' }, { eventType: 'a.two' }]);
  await insertStreams(under.db, ids[0] ?? '');
  return { ...under, entry: ids[1] ?? '' };
}

const widths = [320, 390, 800, 1024, 1440];

/** Nothing sticks out of the window, or out of what contains it, at any of the widths. */
async function lookAt(page: Page, name: string, only = widths): Promise<void> {
  for (const width of only) {
    await page.setViewportSize({ width, height: 900 });
    await expectNoSidewaysScroll(page);
    expect(await findCut(page), `${name} at ${width}`).toEqual([]);
    // A hidden one has the size of a pixel.
    if ((await page.locator('.dot').count()) > 0)
      expect((await page.locator('#export-dot').boundingBox())?.width, `${width}`).toBeGreaterThan(8);
    await screenshot(page, `${name}-${width}`);
  }
  await page.emulateMedia({ forcedColors: 'active' });
  await screenshot(page, `${name}-forced`);
  await page.emulateMedia({ forcedColors: null });
}

/** What in the drawer and in the banner is wider than their place, or that reach out of the window. */
function findCut(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`[...document.querySelectorAll('#drawer:modal *, #export-trouble *')]
    .filter((element) => element.checkVisibility() && !element.closest('.visually-hidden, svg, option, textarea'))
    .filter((element) => {
      const { left, right } = element.getBoundingClientRect();
      const isWider = getComputedStyle(element).display !== 'inline' && element.scrollWidth > element.clientWidth + 1;
      return right > innerWidth + 1 || left < -1 || (isWider && element.matches(':not(input, select, .drawer-body)'));
    })
    .map((element) => element.tagName + '.' + element.className + ': ' + element.textContent.trim().slice(0, 60))`);
}

it('shows each state with its word, its colour and what to do', { timeout: 240_000 }, async () => {
  const { origin } = await setUp(() => names);
  const page = await browser.newPage();
  await page.goto(`${origin}${logs}/export`);
  const words = await page.locator('.export-card .badge').allTextContents();
  expect(words.toSorted()).toEqual(names.map((name) => states[name].word).toSorted());
  // Failing, then those that lack entries, then the rest; each by name.
  const cards = await page.locator('.export-card h3').allTextContents();
  const byTrouble = (trouble: string | null) =>
    names.filter((name) => states[name].trouble === trouble).toSorted();
  expect(cards.map((card) => card.trim())).toEqual(['failing', 'missing', null].flatMap(byTrouble));
  await expectAccessible(page);
  await lookAt(page, 'export-states');
  for (const name of names) {
    await page.goto(`${origin}${logs}/export/default.${name}`);
    const badge = page.locator('.export-now .badge');
    expect(await badge.textContent()).toBe(states[name].word);
    const isGreen = (await badge.getAttribute('class'))?.includes('badge-good');
    expect(isGreen, name).toBe(name === 'delivering' || name === 'catching-up');
    const retries = await page.getByRole('button', { name: 'Retry now' }).count();
    expect(retries, name).toBe(name === 'holding' || name === 'retrying' ? 1 : 0);
    await expectAccessible(page);
    // Each state in a narrow window and in a wide one, those that fail in all.
    await lookAt(page, `export-state-${name}`, states[name].trouble === 'failing' ? widths : [320, 1024]);
    await page.setViewportSize({ width: 1280, height: 800 });
  }
});

it('says above the list what fails, most pressing first, and says no more once nothing does', {
  timeout: 120_000,
}, async () => {
  let shown: readonly StateName[] = ['delivering', 'incomplete', 'holding', 'suspended', 'nothing-sent'];
  const { origin } = await setUp(() => shown);
  const page = await browser.newPage();
  await page.goto(origin + logs);
  const banner = page.locator('#export-trouble');
  const items = banner.getByRole('listitem');
  // A list waits for the configs for a moment only, and asks for them afterwards.
  await items.nth(1).waitFor();
  expect(await items.count()).toBe(2);
  const first = (await items.nth(0).textContent()) ?? '';
  expect(first).toMatch(/holding: Holding: needs you since[\s\S]*404 Not Found[\s\S]*Fix it/);
  expect(await items.nth(1).textContent()).toContain('incomplete: Incomplete. 1 entry is parked.');
  expect(await page.locator('.dot-bad').count()).toBe(1);
  await expectAccessible(page);
  await lookAt(page, 'export-trouble');
  await banner.getByRole('link', { name: /^Fix it ?: holding$/ }).click();
  await page.getByLabel('Endpoint URL').waitFor();
  await page.keyboard.press('Escape');
  shown = ['retrying'];
  await banner.getByText('retrying: Retrying').waitFor({ timeout: 15_000 });
  await banner.getByRole('link', { name: /^See why ?: retrying$/ }).waitFor();
  expect(await page.locator('.dot-warn').count()).toBe(1);
  shown = ['delivering', 'suspended'];
  await items.first().waitFor({ state: 'detached', timeout: 15_000 });
  await page.locator('.dot').waitFor({ state: 'detached' });
});

it('says it without JavaScript, and does without where the configs cannot be read', async () => {
  const { origin } = await setUp(() => ['holding']);
  const page = await browser.newPage({ javaScriptEnabled: false });
  const fix = page.getByRole('link', { name: /^Fix it ?: holding$/ });
  // A list waits for the configs for a moment only, and this machine may have other work.
  await waitFor(async () => {
    await page.goto(origin + logs);
    return (await fix.count()) > 0;
  });
  await fix.click();
  await page.getByLabel('Endpoint URL').waitFor();
  const never = { list: () => new Promise(() => {}) } as unknown as ConfigEditor;
  const slow = await startPageUnderTest(postgres, { context: { editor: never } });
  await writePageEntries(slow.db, [{ eventType: 'a.one' }]);
  const html = await (await fetch(slow.origin + logs)).text();
  expect(html).toContain('a.one');
  expect(html).not.toContain('Fix it');
});

it('says of an entry that waits what it waits for', { timeout: 60_000 }, async () => {
  const { origin, entry } = await setUp(() => ['delivering', 'holding', 'suspended', 'not-reporting']);
  const page = await browser.newPage();
  await page.goto(`${origin}${logs}/entries/${entry}`);
  const text = (await page.locator('.deliveries').textContent()) ?? '';
  expect(text).toContain('Waiting: holding is stopped (404). Fix it');
  expect(text).toContain('Waiting until suspended is resumed.');
  expect(text).toContain('no collector reports on not-reporting right now');
  // The others have streams, and no config any more.
  expect(text).toContain('The destination was deleted.');
  expect(text).not.toMatch(/\bwill be (?:sent|delivered)\b/);
  await expectAccessible(page);
  await lookAt(page, 'entry-waiting');
  await page
    .locator('.deliveries')
    .getByRole('link', { name: /^Fix it ?: holding$/ })
    .click();
  await page.getByLabel('Endpoint URL').waitFor();
});

it('repeats no old state while its database is away', async () => {
  const away = openDatabase('postgres://nobody@127.0.0.1:1/none', 1);
  onTestFinished(() => away.end());
  const { origin } = await startPageUnderTest(postgres, {
    context: { editor: editorOf(() => [makeConfig('delivering')]), db: away },
  });
  const headers = { 'HX-Request': 'true', 'HX-Request-Type': 'partial' };
  const read = async (path: string, target: string) =>
    (await fetch(origin + logs + path, { headers: { ...headers, 'HX-Target': target } })).text();
  for (const html of [
    await read('/export?live=1', 'div#export-destinations'),
    await read('/export/default.delivering/state?live=1', 'section#export-state'),
    await read('/trouble?live=1', 'div#export-trouble'),
  ]) {
    expect(html).toContain('Database away');
    expect(html).not.toContain('Delivering');
  }
});

it('shows how requests went, and when the next try is', { timeout: 60_000 }, async () => {
  const { origin, db } = await setUp(() => ['holding', 'delivering']);
  const page = await browser.newPage();
  await page.goto(`${origin}${logs}/export/default.delivering/history`);
  await page.getByText('No request was kept yet.').waitFor();
  const attempts = [
    { at: '2026-05-01T10:00:00.000Z', records: 500, numbers: [1, 500], durationMs: 42 },
    {
      at: '2026-05-01T10:00:01.000Z',
      records: 7,
      numbers: [501, 507],
      durationMs: 31,
      rejected: 2,
      message: 'two <b>bad</b> ones',
    },
    {
      at: '2026-05-01T10:00:02.000Z',
      records: 1,
      durationMs: 9_000,
      reason: 'NotFound',
      httpStatus: 404,
      message: error.message,
    },
  ];
  await db.query(
    `insert into audit.stream_hours
     select s.id, date_trunc('hour', now()) - d * interval '1 day', 1000 + d, d % 3, 20 + d, case when d % 4 = 0 then '{"NotFound": 2, "Timeout": 1}' else '{}' end::jsonb,
       '{0,3,10,5,1,1,0,0,0,0,0,0,0}' from audit.streams s, generate_series(0, 29) d where s.config_key = 'test/holding'`,
  );
  await db.query(
    `insert into audit.stream_attempts select id, $1, now() + interval '4 minutes 30 seconds', now() from audit.streams where config_key = 'test/holding'`,
    [JSON.stringify(attempts)],
  );
  await page.goto(`${origin}${logs}/export/default.holding`);
  await page.getByText('The collector tries again by itself in 4 min.').waitFor();
  await page.getByRole('link', { name: 'Requests', exact: true }).click();
  await page.getByText('Last 24 hours: 1,000 entries accepted in 20 requests, repeats included.').waitFor();
  await page.getByText('Failed requests: NotFound 2, Timeout 1.').waitFor();
  await page.getByText('Half of the requests were answered within 25 ms, 95 % within 100 ms.').waitFor();
  // 1,204 delivered and no number given, as of a row that no window was pinned for.
  await page.getByText('Is anything missing at the receiver?').click();
  expect(await page.locator('#gap-query-0').textContent()).toMatch(
    /^\{audit\.organization\.id="acme"\} audit\.stream\.id:="[0-9a-f-]{36}" \| stats by/,
  );
  expect(await page.locator('.history-failed').count()).toBe(8);
  const rows = page.locator('.history-attempts > li');
  expect(await rows.count()).toBe(3);
  expect(await rows.first().textContent()).toMatch(/NotFound, HTTP 404.*1 entry in 9,000 ms.*no such path/s);
  expect(await rows.nth(1).textContent()).toMatch(
    /2 rejected.*7 entries \(numbers 501 to 507\) in 31 ms.*two <b>bad<\/b> ones/s,
  );
  expect(await rows.last().textContent()).toMatch(/Accepted.*500 entries \(numbers 1 to 500\) in 42 ms/s);
  await expectAccessible(page);
  for (const width of [1440, 1024, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await expectNoSidewaysScroll(page);
    await screenshot(page, `history-${width}`);
  }
});

it('shows the last 24 hours on a card, once anything was sent', { timeout: 60_000 }, async () => {
  const { origin, db } = await setUp(() => ['holding', 'delivering', 'nothing-sent']);
  await db.query(
    `insert into audit.stream_hours
     select s.id, date_trunc('hour', now()) - h * interval '1 hour', 400 + 90 * (h % 7), 0, 4 + h % 7,
       case when h < 3 then '{"NotFound": 4}' else '{}' end::jsonb, '{4}'
     from audit.streams s, generate_series(0, 30) h where s.config_key = 'test/holding'`,
  );
  const page = await browser.newPage();
  await page.goto(`${origin}${logs}/export`);
  const card = (name: string) => page.locator('.export-card', { has: page.getByText(name, { exact: true }) });
  const words = (name: string) => card(name).locator('.export-day').allTextContents();
  expect((await words('holding')).map((each) => each.trim())).toEqual([
    'Last 24 hours: 15,540 entries accepted, 12 of 162 requests failed',
  ]);
  expect(await card('holding').locator('.history-all').count()).toBe(24);
  expect(await card('holding').locator('.history-failed').count()).toBe(3);
  expect(await words('delivering')).toEqual(['Last 24 hours: no request']);
  expect(await card('delivering').locator('svg.history-bars').count()).toBe(0);
  expect(await words('nothing-sent')).toEqual([]);
  // The whole card leads to its destination, the bars too.
  await card('holding').locator('.history-bars').click({ force: true });
  await page.getByLabel('Endpoint URL').waitFor();
  await page.goto(`${origin}${logs}/export`);
  await expectAccessible(page);
  await lookAt(page, 'export-day');
});

it('lists every parked entry, and sends one of them again', { timeout: 60_000 }, async () => {
  const { origin, db } = await setUp(() => ['incomplete']);
  const { rows } = await db.query<{ id: string }>(
    `select s.id from audit.streams s where s.config_key = 'test/incomplete'`,
  );
  await db.query(
    `insert into audit.parked (stream, sequence, entry_id, observed_at, reason, http_status, message)
     select $1, n, 1, now(), 'EntryRefused', 400, 'It says: "bad body".' from generate_series(2, 60) n`,
    [rows[0]?.id],
  );
  for (const javaScriptEnabled of [true, false]) {
    const page = await browser.newPage({ javaScriptEnabled });
    await page.goto(`${origin}${logs}/export/default.incomplete`);
    await page.getByText('60 parked entries').click();
    await page.getByRole('link', { name: 'and 55 more' }).click();
    await page.getByText('60 parked: the receiver refused them').waitFor();
    const items = page.locator('.export-parked-list > li');
    await expect.poll(() => items.count()).toBe(50);
    expect(await items.last().textContent()).toContain('#50');
    await page.getByRole('link', { name: 'More' }).click();
    await page.getByText('#60').waitFor();
    expect(await items.count()).toBe(10);
    if (javaScriptEnabled) await expectAccessible(page);
  }
  const page = await browser.newPage();
  await page.goto(`${origin}${logs}/export/default.incomplete/parked`);
  await screenshot(page, 'parked');
  await page
    .getByRole('button', { name: /^Send again: entry \d+, number \d+$/ })
    .first()
    .click();
  await page.getByText('The entry is being sent again.').waitFor();
  await page.getByText('Replay asked for').first().waitFor();
  const asked = await db.query('select from audit.parked where replay_requested_at is not null');
  expect(asked.rowCount).toBeGreaterThan(0);
  const told = await db.query(
    `select metadata from audit.entries where event_type = 'audit_export.replayed'`,
  );
  expect(told.rows[0]?.metadata).toMatchObject({
    destination: 'default.incomplete',
    entries: asked.rowCount,
  });
});
