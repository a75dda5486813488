/** One entry in the drawer: what it shows, how one gets there and away, and that nothing an entry holds comes alive. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { quickestMs } from '../../tools/processorTime.ts';
import { expectAccessible, expectNoSidewaysScroll, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { makePageEntries, writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

const title = (page: Page) => page.locator('#drawer-title').textContent();
const openDrawer = async (page: Page, name: string) => {
  await page.locator('[data-row]', { hasText: name }).first().click();
  await page.waitForSelector('#drawer:modal');
};

describe('the drawer of an entry', () => {
  it('shows every attribute, exact numbers and both times, and is an address of its own', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    const [id] = await writePageEntries(db, [
      {
        eventType: 'flow.created',
        actorId: 'u-7',
        actorName: 'Ada',
        project: 'web',
        metadata: '{"n": 12345678901234567890123.450, "deep": {"list": [1, "two", null, true]}}',
        occurredAt: new Date('2026-11-02T10:20:30.456Z'),
      },
    ]);
    const page = await browser.newPage();
    await page.goto(`${origin}${logs}?range=all`);
    await openDrawer(page, 'flow.created');
    expect(await title(page)).toBe('flow.created');
    expect(new URL(page.url()).pathname).toBe(`${logs}/entries/${id}`);
    const facts = await page
      .locator('.facts > div')
      .evaluateAll((all) => all.map((fact) => [...fact.children].map((child) => child.textContent.trim())));
    expect(Object.fromEntries(facts)).toMatchObject({
      'Time (UTC)': '2026-11-02 10:20:30 UTC',
      'Local time': '2026-11-02 11:20:30 GMT+1',
      'Event type': 'flow.created',
      Actor: 'Ada',
      'Actor id': 'u-7',
      'Session type': 'User',
      Project: 'web',
      'Entry id': id,
      UID: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(await page.locator('.j-number').first().textContent()).toBe('12345678901234567890123.450');
    await page.reload();
    await page.waitForSelector('#drawer:modal');
    expect(await title(page)).toBe('flow.created');
    expect(await page.title()).toBe('flow.created · acme');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.url()).toBe(`${origin}${logs}?range=all`);
    expect(await page.title()).toBe('Audit logs · acme');
  });

  it('goes with Back, comes with Forward, and gives focus back to its row', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, makePageEntries(10));
    const page = await browser.newPage();
    await page.goto(origin + logs);
    const row = page.locator('[data-row]').nth(3);
    const id = await row.getAttribute('id');
    await row.click();
    await page.waitForSelector('#drawer:modal');
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('drawer-title');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.evaluate<string>('document.activeElement.id')).toBe(id);
    await row.click();
    await page.waitForSelector('#drawer:modal');
    await page.goBack();
    await expect.poll(() => page.locator('#drawer:modal').count()).toBe(0);
    expect(page.url()).toBe(origin + logs);
    await page.goForward();
    await page.waitForSelector('#drawer:modal');
    await page.getByRole('link', { name: 'Close' }).click();
    // The dialog's close event, which brings the list's address back, comes a moment after it has closed.
    await expect.poll(() => page.url()).toBe(origin + logs);
    expect(await page.locator('#drawer:modal').count()).toBe(0);
  });

  it('leads to the newer and the older entry within the filter', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [{ eventType: 'a.one' }, { eventType: 'b.two' }, { eventType: 'a.three' }]);
    const page = await browser.newPage();
    await page.goto(`${origin}${logs}?type=a.one&type=a.three`);
    await openDrawer(page, 'a.three');
    expect(await page.getByRole('link', { name: 'Newer entry: none' }).count()).toBe(1);
    await page.getByRole('link', { name: 'Older entry' }).click();
    await expect.poll(() => title(page)).toBe('a.one');
    expect(await page.getByRole('link', { name: 'Older entry: none' }).count()).toBe(1);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.url()).toBe(`${origin}${logs}?type=a.one&type=a.three`);
    await expect.poll(() => page.evaluate<string>('document.activeElement.textContent.trim()')).toBe('a.one');
  });

  it('filters by a value that is chosen, exact numbers too', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [
      { eventType: 'a.one', metadata: '{"request": {"ip": "10.0.0.1"}, "n": 9007199254740993}' },
      { eventType: 'a.two', metadata: '{"request": {"ip": "10.0.0.2"}, "n": 9007199254740992}' },
      { eventType: 'a.three', metadata: '{"request": {"ip": "10.0.0.1"}, "tags": ["x", "y"]}' },
    ]);
    const page = await browser.newPage();
    await page.goto(origin + logs);
    await openDrawer(page, 'a.one');
    await page.getByRole('link', { name: '"10.0.0.1"' }).click();
    await expect.poll(() => page.locator('[data-row]').count()).toBe(2);
    expect(await page.locator('.chip', { hasText: 'request.ip = 10.0.0.1' }).count()).toBe(1);
    await openDrawer(page, 'a.one');
    await page.getByRole('link', { name: '9007199254740993' }).click();
    await expect.poll(() => page.locator('[data-row]').count()).toBe(1);
    await page.getByRole('link', { name: 'Remove request.ip = 10.0.0.1' }).click();
    await expect.poll(() => page.locator('.chip').count()).toBe(2);
    expect(await page.locator('[data-row]').count()).toBe(1);
    await screenshot(page, 'filters-has');
  });

  it('copies the entry as JSON and its address', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [{ eventType: 'a.one', metadata: '{"n": 9007199254740993}' }]);
    const page = await browser.newPage({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(origin + logs);
    await openDrawer(page, 'a.one');
    const clipboard = () => page.evaluate<string>('navigator.clipboard.readText()');
    await page.getByRole('button', { name: 'Copy JSON' }).click();
    await page.getByText('Copied.').waitFor();
    expect(await clipboard()).toContain('"metadata":{"n": 9007199254740993}}');
    await page.getByRole('button', { name: 'Copy link' }).click();
    await expect.poll(clipboard).toBe(page.url());
  });

  it('says of each destination whether it has the entry', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    const [id] = await writePageEntries(db, [{ eventType: 'a.one' }]);
    await db.query(
      `insert into audit.streams (config_key, organization, cluster, settled)
       values ('test/siem', 'acme', audit.cluster_id(), '1:1:')`,
    );
    const page = await browser.newPage();
    await page.goto(`${origin}${logs}/entries/${id}`);
    // No config of that name is there any more.
    await page.getByText('The destination was deleted.').waitFor();
    await db.query(
      `insert into audit.parked (stream, sequence, entry_id, observed_at, reason, http_status, message)
       select id, 1, $1, now(), 'Refused', 400, 'The receiver said: bad body.' from audit.streams`,
      [id],
    );
    await page.reload();
    await page.getByText('Parked', { exact: true }).waitFor();
    expect(await page.locator('.deliveries').textContent()).toContain(
      'The receiver refused it (HTTP 400): The receiver said: bad body. The destination was deleted, so it is not sent again.',
    );
    await expectAccessible(page);
    await screenshot(page, 'entry-parked');
  });

  it('answers the same for an entry of another organization as for one that nobody has', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    const [id] = await writePageEntries(db, [{ organization: 'globex', eventType: 'secret.thing' }]);
    const answers = await Promise.all(
      [id, '999999', 'x', '99999999999999999999'].flatMap((each) =>
        ['', '/json'].map(async (rest) => {
          const response = await fetch(`${origin}${logs}/entries/${each}${rest}`);
          return `${response.status} ${await response.text()}`;
        }),
      ),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^404/);
    expect(answers[0]).not.toContain('secret');
    const page = await browser.newPage({ expectedErrors: [/404/] });
    await page.goto(origin + logs);
    await page.goto(`${origin}${logs}/entries/${id}`);
    await page.getByRole('heading', { name: 'No such entry' }).waitFor();
  });

  it('reads without JavaScript', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [{ eventType: 'a.one', metadata: '{"k": "value"}' }]);
    const page = await browser.newPage({ javaScriptEnabled: false });
    await page.goto(origin + logs);
    await page.getByRole('link', { name: 'a.one' }).click();
    await page.locator('.json', { hasText: '"value"' }).waitFor();
    await screenshot(page, 'entry-no-script');
    await page.getByRole('link', { name: 'Close' }).click();
    await page.waitForURL(origin + logs);
  });

  it('fits every width', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    const ids = await writePageEntries(db, makePageEntries(3));
    const page = await browser.newPage();
    await page.goto(`${origin}${logs}/entries/${ids[1]}`);
    await page.waitForSelector('#drawer:modal');
    for (const [width, height] of [
      [1280, 800],
      [768, 1024],
      [390, 844],
      [320, 640],
      [640, 360],
    ] as const) {
      await page.setViewportSize({ width, height });
      await expectNoSidewaysScroll(page);
      await screenshot(page, `entry-${width}`);
    }
    await expectAccessible(page);
  });
});

describe('a hostile payload', () => {
  const markup = `<script>globalThis.broken=1</script><img src=x onerror="globalThis.broken=2"><hx-partial hx-target="#results">gone</hx-partial><b hx-get="/evil" hx-trigger="load">x</b></bdi></a>"'><style>*{display:none}</style>`;

  it('is text in the list, the excerpt, the chips, the form and the drawer', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    const value = JSON.stringify(markup);
    await writePageEntries(db, [
      {
        eventType: markup.slice(0, 200),
        actorName: markup,
        actorId: `id ${markup}`,
        sessionType: markup,
        project: `\u202e${markup}`,
        metadata: `{${value}: ${value}, "rtl": "\u202eabc", "escaped": "\\\\u0000 &lt;b&gt;"}`,
      },
    ]);
    const page = await browser.newPage();
    const requested: string[] = [];
    page.on('request', (request) => requested.push(new URL(request.url()).pathname));
    const search = new URLSearchParams({
      q: '<script>globalThis',
      actor: markup,
      has: `{${value}: ${value}}`,
    });
    search.append('type', markup.slice(0, 200));
    await page.goto(`${origin}${logs}?${search}`);
    await page.waitForSelector('[data-row]');
    expect(await page.locator('[data-row]').textContent()).toBe(markup.slice(0, 200));
    await page.locator('#q').fill('<hx-partial');
    await page.waitForSelector('.excerpt mark');
    await page
      .locator('[data-row]')
      .first()
      .click({ position: { x: 5, y: 5 } });
    await page.waitForSelector('#drawer:modal');
    expect(await page.locator('.j-string').allTextContents()).toContain(value);
    expect(await page.locator('.facts').textContent()).toContain(markup);
    expect(await page.evaluate('globalThis.broken')).toBe(undefined);
    expect(await page.locator('#results [data-row]').count()).toBe(1);
    expect(requested.filter((path) => path.includes('evil') || path.endsWith('/x'))).toEqual([]);
    await expectAccessible(page);
    await screenshot(page, 'hostile');
  });

  it.each([
    ['1 MB in one value', `{"big": "${'x<'.repeat(500_000)}"}`],
    [
      '10,000 keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`key ${n}`, n]))),
    ],
    ['depth 200', `${'{"a": ['.repeat(100)}1${']}'.repeat(100)}`],
  ])('opens within a second and stays readable: %s', async (what, metadata) => {
    const { origin, db } = await startPageUnderTest(postgres);
    const [id] = await writePageEntries(db, [{ eventType: 'a.one', metadata }]);
    const open = async () => (await fetch(`${origin}${logs}/entries/${id}`)).text();
    expect(await quickestMs(open), 'milliseconds').toBeLessThan(1_000);
    expect((await open()).length, 'characters').toBeLessThan(400_000);
    const page = await browser.newPage();
    await page.goto(origin + logs);
    await openDrawer(page, 'a.one');
    await page.waitForSelector('.json');
    await screenshot(page, `hostile-${what.replace(/\W+/g, '-')}`);
    if (what === '10,000 keys') {
      await page.getByText('… 9601 more').waitFor();
      await page.getByRole('link', { name: 'Show all of it' }).click();
      await page.getByText('"key 9999"').waitFor();
    }
    const raw = await (await fetch(`${origin}${logs}/entries/${id}/json`)).text();
    expect(JSON.parse(raw).metadata).toEqual(JSON.parse(metadata));
  });
});
