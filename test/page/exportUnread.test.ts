/** What is shown of a destination that can no longer be read is not left standing as if it were so now. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { expectAccessible, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { type PageUnderTest, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';
const asHtmx = { 'HX-Request': 'true', 'HX-Request-Type': 'partial' };

async function writeManifest({ directory }: PageUnderTest, organization = 'acme'): Promise<void> {
  const manifest = {
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name: 'siem' },
    spec: { organization, endpoint: 'http://127.0.0.1:1', maxBatchSize: 5_000 },
  };
  await writeFile(join(directory, 'siem.yaml'), JSON.stringify(manifest));
}

async function open(under: PageUnderTest, page: Page, path: string): Promise<void> {
  await waitFor(async () => {
    await page.goto(under.origin + path);
    return (await page.locator('#drawer').getByRole('heading', { name: 'siem' }).count()) === 1;
  });
}

it('says so in the open drawer, until it can be read again or something else is open', async () => {
  const under = await startPageUnderTest(postgres);
  await writeManifest(under);
  const page = await browser.newPage({ expectedErrors: [/503/] });
  await open(under, page, `${logs}/export/default.siem`);
  const bar = page.locator('#session-bar');
  expect(await bar.isVisible()).toBe(false);
  await rm(join(under.directory, 'siem.yaml'));
  await bar.getByText('cannot be read right now, or is gone').waitFor();
  await expectAccessible(page);
  await screenshot(page, 'export-unread');
  await writeManifest(under);
  await bar.waitFor({ state: 'hidden' });

  // As while the database is away and nobody can be known.
  await page.route(/\/state\?live=1/, (route) =>
    route.fulfill({ status: 503, headers: { 'X-Audit-Export': 'page' }, body: 'away' }),
  );
  await bar.getByText('cannot be read right now').waitFor();
  await page.getByRole('link', { name: 'Back to all destinations' }).click();
  await page.getByRole('heading', { name: 'Configure OTEL Export' }).waitFor();
  await bar.waitFor({ state: 'hidden' });
});

it('says so where the destinations were, and keeps the banner of one that fails', async () => {
  const under = await startPageUnderTest(postgres);
  await writeManifest(under);
  const page = await browser.newPage();
  await open(under, page, `${logs}/export`);
  const readTrouble = () => fetch(`${under.origin}${logs}/trouble?live=1`, { headers: asHtmx });
  expect(await (await readTrouble()).text()).toContain('siem');
  await rename(under.directory, `${under.directory}-away`);
  await page.getByText('The destinations cannot be read right now.').waitFor();
  expect((await readTrouble()).status).toBe(204);
  await rename(`${under.directory}-away`, under.directory);
  await page.locator('#drawer').getByRole('heading', { name: 'siem' }).waitFor();
  await expect.poll(async () => (await readTrouble()).status).toBe(200);
});
