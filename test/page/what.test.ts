/** What a row, the drawer and files say about an entry's payload: of real events, and of changes in each convention. */
import { describe, expect, it } from 'vitest';
import { makeEntries } from '../../cmd/demo/product/entries.ts';
import { eventKinds } from '../../cmd/demo/product/events.ts';
import { makeRandom } from '../../cmd/demo/product/random.ts';
import { printWhat, summarize } from '../../src/web/what/summarize.ts';
import { cloudTrailCount, isCloudTrailMissing, loadCloudTrail } from '../receivers/cloudTrail.ts';
import { expectAccessible, expectNoSidewaysScroll, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { makePageEntries, writePageEntries } from '../tools/pageEntries.ts';
import { ada, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

interface Line {
  readonly eventType: string;
  readonly what: string | null;
  readonly metadata: { readonly readOnly: boolean };
}

describe.skipIf(isCloudTrailMissing())('2,900 real events', () => {
  it('say what they were done to, in words that stand in their payloads', async () => {
    const { origin, db } = await startPageUnderTest(postgres, { viewer: { ...ada, administers: 'all' } });
    const events = await loadCloudTrail(db);
    const lines: Line[] = [];
    for (const organization of new Set(events.map((event) => event.organization))) {
      const url = `${origin}/organizations/${organization}/audit-logs`;
      const file = await (await fetch(`${url}/entries.ndjson?range=all`)).text();
      lines.push(
        ...file
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Line),
      );
    }
    expect(lines).toHaveLength(cloudTrailCount);
    const changing = lines.filter(({ metadata }) => !metadata.readOnly);
    const silent = (of: readonly Line[]) => of.filter(({ what }) => what === null).length / of.length;
    expect(silent(lines), 'of all events').toBeLessThan(0.25);
    expect(silent(changing), 'of those that change something').toBeLessThan(0.1);
    for (const { what, metadata } of lines) {
      // Values stand after their keys, or alone.
      const text = JSON.stringify(metadata);
      for (const part of what?.split(' · ') ?? []) {
        const quoted = part.replace(/ and \d+ more$/, '').replace(/^[\w.]+ (?=\S)/, '');
        expect(text, part).toContain(JSON.stringify(quoted).slice(1, -1));
      }
    }
    const whats = (eventType: string) =>
      lines.filter((line) => line.eventType === eventType).map(({ what }) => what);
    expect(whats('iam.DeleteRole')).toContain('roleName stratus-red-team-usr-data-role');
    expect(whats('s3.DeleteBucket')).toContain(
      'bucketName stratus-red-team-ctes-bucket-qyxyekjbtk · errorCode BucketNotEmpty',
    );
    const page = await browser.newPage();
    await page.goto(`${origin}/organizations/${events[0]?.organization}/audit-logs?range=all`);
    for (const [width, height] of [
      [1440, 900],
      [1024, 768],
      [390, 844],
    ] as const) {
      await page.setViewportSize({ width, height });
      await expectNoSidewaysScroll(page);
      await screenshot(page, `what-real-${width}`);
    }
  });
});

describe('what happened', () => {
  it('is said for every kind of event of the sample product', () => {
    const random = makeRandom(7);
    const lines = new Map<string, string>();
    while (lines.size < eventKinds.length)
      for (const { eventType, metadata } of makeEntries(random, new Date(), 1)) {
        const what = summarize(metadata, eventType);
        expect(what, eventType).not.toBeNull();
        lines.set(eventType, what ? printWhat(what, 80) : '');
      }
    expect(lines.get('flow.deleted')).toMatch(/^flow (Sync|Load|Check|Archive) \w+/);
    expect(lines.get('flow.updated')).toContain('/retries, /timeoutSeconds, /owner');
    expect(lines.get('role.granted')).toMatch(/^subject .+ · \["viewer"\] → \["viewer", ?"/);
  });

  it('stands in the row, in the drawer with the values before and after, and in both files', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [
      ...makePageEntries(20),
      {
        eventType: 'flow.updated',
        metadata:
          '{"flow": {"id": 42, "name": "Sync <orders>"}, "changes": {"retries": [9007199254740993, 1.50], "owner": {"from": null, "to": "ada"}}}',
      },
      { eventType: 'flow.deleted', metadata: '{"audit.summary": "Ada deleted it", "flow": {"name": "x"}}' },
      { eventType: 'flow.huge', metadata: JSON.stringify({ name: 'x'.repeat(70_000) }) },
      { eventType: 'flow.long', metadata: JSON.stringify({ name: 'long '.repeat(100) }) },
    ]);
    const page = await browser.newPage();
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.goto(`${origin}${logs}`);
    const whatOf = (type: string) => page.locator('.entry', { hasText: type }).first().locator('.cell-what');
    expect((await whatOf('flow.deleted').textContent())?.trim()).toBe('Ada deleted it');
    expect((await whatOf('flow.huge').textContent())?.trim()).toBe('—');
    expect((await whatOf('flow.long').textContent())?.trim()).toBe(`${'long '.repeat(16)}…`);
    expect(await whatOf('flow.long').locator('bdi').getAttribute('title')).toBe('long '.repeat(100));
    const updated = page.locator('.entry', { hasText: 'Sync <orders>' }).first();
    expect(await updated.locator('.cell-what').textContent()).toBe(
      'flow Sync <orders> · changed owner, retries',
    );
    // As high as any other row, however long.
    const heights = await page
      .locator('.cell-what')
      .evaluateAll((cells) => cells.map((cell) => cell.clientHeight));
    expect(Math.max(...heights)).toBeLessThan(2.5 * Math.min(...heights));
    await screenshot(page, 'what-list-1440');
    await expectAccessible(page);

    await updated.locator('[data-row]').click();
    await page.waitForSelector('#drawer:modal');
    const rows = await page
      .locator('.changes tbody tr')
      .evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
    expect(rows).toEqual([
      ['owner', 'null', '"ada"'],
      ['retries', '9007199254740993', '1.50'],
    ]);
    const order = await page
      .locator('.drawer-body h3')
      .evaluateAll((all) => all.map((heading) => heading.textContent));
    expect(order).toEqual(['What changed', 'Payload', 'Around this entry', 'Details', 'Delivery']);
    for (const [width, height] of [
      [1440, 900],
      [1024, 768],
      [390, 844],
    ] as const) {
      await page.setViewportSize({ width, height });
      await expectNoSidewaysScroll(page);
      await screenshot(page, `what-entry-${width}`);
    }
    await expectAccessible(page);
    // Text in a link can be selected, and the end of the selection opens nothing.
    const before = page.url();
    await page.setViewportSize({ width: 1440, height: 900 });
    const value = page.locator('.json a', { hasText: 'Sync <orders>' });
    await value.scrollIntoViewIfNeeded();
    const box = (await value.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.move(box.x + 3, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 3, box.y + box.height / 2, { steps: 5 });
    await page.mouse.up();
    expect(page.url()).toBe(before);
    expect(await page.evaluate<string>('getSelection().toString()')).toContain('ync <order');
    expect(await page.locator('#drawer:modal').count()).toBe(1);

    const csv = await (await fetch(`${origin}${logs}/entries.csv?type=flow.deleted`)).text();
    expect(csv).toMatch(/^id,.*,metadata,what\r\n/);
    expect(csv).toContain('}",Ada deleted it\r\n');
    const ndjson = await (await fetch(`${origin}${logs}/entries.ndjson?type=flow.huge`)).text();
    expect(ndjson).toContain('"what":null,"metadata":{');
  });

  it('leads on: to built-in views, to what happened around an entry, and to a list with fixed times', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [
      {
        eventType: 'flow.created',
        metadata: '{"flow": {"id": 42, "name": "Sync orders"}}',
        occurredAt: new Date(Date.now() - 7_200_000),
      },
      { eventType: 'flow.deleted', metadata: '{"flow": {"id": 42, "name": "Sync orders"}}' },
      { eventType: 'login.failed', actorId: null, actorName: null },
    ]);
    const page = await browser.newPage({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(`${origin}${logs}?range=24h`);
    const types = () => page.locator('[data-row]').allTextContents();
    const views = page.getByRole('navigation', { name: 'Built-in views' });
    expect(await views.getByRole('link').allTextContents()).toEqual([
      'Deletions',
      'Failed logins',
      'Machine sessions',
    ]);
    await page.getByRole('link', { name: 'Copy a link with fixed times' }).click();
    await page.getByText('Copied.').waitFor();
    const copied = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(copied).toMatch(/\?from=[^&]+&to=[^&]+$/);
    expect(await (await fetch(copied)).text()).toContain('data-row><bdi>login.failed');
    await views.getByRole('link', { name: 'Deletions' }).click();
    await expect.poll(types).toEqual(['flow.deleted']);
    expect(await views.count()).toBe(0);
    await page.locator('[data-row]').click();
    await page.waitForSelector('#drawer:modal');
    await page.getByRole('link', { name: 'All with “Sync orders”' }).click();
    await expect.poll(types).toEqual(['flow.deleted', 'flow.created']);
    expect(await page.locator('.chip').allTextContents()).toEqual(['Remove “Sync orders”']);
    await page.locator('[data-row]').first().click();
    await page.getByRole('link', { name: '10 minutes before and after' }).click();
    await expect.poll(types).toEqual(['login.failed', 'flow.deleted']);
  });
});

describe('a search of several words', () => {
  it('asks for all of them, marks them, and names each in a chip; quotes and minus do as the help says', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [
      { eventType: 'a.one', metadata: '{"note": "deploy of web failed"}' },
      { eventType: 'a.two', metadata: '{"note": "failed deploy", "stage": "staging"}' },
      { eventType: 'a.three', metadata: '{"note": "deploy"}' },
    ]);
    const page = await browser.newPage();
    await page.goto(`${origin}${logs}`);
    const types = () => page.locator('[data-row]').allTextContents();
    await page.locator('#q').fill('failed deploy');
    await expect.poll(types).toEqual(['a.two', 'a.one']);
    expect(await page.locator('.excerpt mark').allTextContents()).toEqual([
      'failed',
      'deploy',
      'deploy',
      'failed',
    ]);
    expect(await page.locator('.chip').allTextContents()).toContain('Remove “deploy”');
    await page.locator('#q').fill('failed nowhere');
    await page.getByText('An entry matches only if it has all 2 of the words.').waitFor();
    await page.locator('#q').fill('"failed deploy"');
    await expect.poll(types).toEqual(['a.two']);
    await page.locator('#q').fill('deploy -staging');
    await expect.poll(types).toEqual(['a.three', 'a.one']);
    await screenshot(page, 'search-words');
    const file = await (await fetch(`${origin}${logs}/entries.ndjson?q=deploy+-staging`)).text();
    expect(file.trimEnd().split('\n')).toHaveLength(2);
    await page.getByRole('link', { name: 'Remove Without “staging”' }).click();
    await expect.poll(types).toEqual(['a.three', 'a.two', 'a.one']);
    expect(await page.locator('#q').inputValue()).toBe('deploy');
    // New entries are counted by the same words.
    const live = await page.locator('#live').getAttribute('hx-get');
    await writePageEntries(db, [
      { metadata: '{"note": "deploy failed"}' },
      { metadata: '{"note": "nothing"}' },
    ]);
    const words = live?.replace('q=deploy', 'q=failed+deploy') ?? '';
    expect(await (await fetch(`${origin}${words}`)).text()).toContain('<span>1 new entry</span>');
  });
});
