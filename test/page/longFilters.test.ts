/** A long filter works through nginx with the buffers that it has by default, in a browser and by the parts that htmx asks for. */
import { describe, expect, it } from 'vitest';
import { findFreePort } from '../../tools/freePort.ts';
import { useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { arePackagesMissing } from '../tools/debianPackages.ts';
import { nginxPackages, startNginx } from '../tools/nginx.ts';
import { writePageEntries } from '../tools/pageEntries.ts';
import { type PageUnderTest, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const logs = '/organizations/acme/audit-logs';

/** `count` event types of 60 characters. */
function makeFilter(count: number): string {
  const types = Array.from({ length: count }, (_, n) => `web.${String(n).padStart(56, 'x')}`);
  return new URLSearchParams(types.map((type) => ['type', type] as [string, string])).toString();
}

async function startBehindNginx(): Promise<PageUnderTest & { proxy: string }> {
  const [port, listen] = [await findFreePort(), await findFreePort()];
  const proxy = `http://127.0.0.1:${listen}`;
  const page = await startPageUnderTest(postgres, { port, publicOrigin: proxy });
  await startNginx({ listen, upstream: port });
  return { ...page, proxy };
}

/** Bytes of the head as it is sent, less the status line. */
function headBytes(response: Response): number {
  return [...response.headers].reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
}

const asHtmx = { 'HX-Request': 'true', 'HX-Request-Type': 'partial' };

describe.skipIf(arePackagesMissing('a long filter behind nginx', nginxPackages))('behind nginx', () => {
  const browser = useBrowser();

  it.each([10, 60, 100])('every part of the list with %d event types is answered', async (count) => {
    const { proxy, db } = await startBehindNginx();
    await writePageEntries(db, [{ eventType: 'web.one' }]);
    const search = makeFilter(count);
    const { rows } = await db.query<{ id: string }>('select id::text from audit.entries');
    const url = `${logs}?${search}`;
    const entry = `${logs}/entries/${rows[0]?.id}?${search}`;
    for (const [path, target] of [
      [url, 'section#results'],
      [url, 'main#main'],
      [entry, 'div#drawer-body'],
    ] as const) {
      const headers = { ...asHtmx, 'HX-Target': target, 'HX-Current-URL': `${proxy}${logs}` };
      const response = await fetch(proxy + path, { headers });
      expect(response.status, target).toBe(200);
      expect(headBytes(response), target).toBeLessThan(4_000);
      const shown = response.headers.get('HX-Push-Url');
      expect(shown === 'true' ? path : shown, target).toBe(path);
    }
  });

  it('the browser shows the address of a long filter, and Back leads back', { timeout: 60_000 }, async () => {
    const { proxy, db } = await startBehindNginx();
    await writePageEntries(db, [{ eventType: 'web.one' }, { eventType: 'web.two' }]);
    const page = await browser.newPage();
    await page.goto(`${proxy}${logs}?${makeFilter(60)}`);
    await page.locator('.chip').nth(59).waitFor();
    await page.locator('.filters summary', { hasText: 'Event type' }).click();
    await page.locator('.filters').getByLabel('web.one', { exact: true }).check();
    await expect.poll(() => page.locator('[data-row]').count()).toBe(1);
    const types = () => new URL(page.url()).searchParams.getAll('type');
    await expect.poll(() => types().length).toBe(61);
    expect(types()).toContain('web.one');
    await page.goBack();
    await expect.poll(() => types().length).toBe(60);
    await expect.poll(() => page.locator('[data-row]').count()).toBe(0);
  });
});
