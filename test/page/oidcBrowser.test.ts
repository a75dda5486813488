/** Signing in and out in a real browser, through a real identity provider. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { expectAccessible, screenshot, useBrowser } from '../tools/browser.ts';
import { insertEntries, migrateDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { type OidcPage, startOidcPage } from './oidcPage.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

async function start(): Promise<OidcPage> {
  const page = await startOidcPage(postgres);
  await waitFor(() => page.log.some((line) => line.includes('the identity provider is there')));
  await insertEntries(page.db, [{ eventType: 'flow.created' }, { eventType: 'flow.deleted' }]);
  return page;
}

async function enter(page: Page, login: string): Promise<void> {
  await page.getByLabel('Name').fill(login);
  await page.getByRole('button', { name: 'Enter' }).click();
}

it('leads through the provider to the page that was asked for, and out again', async () => {
  const { origin, provider, db } = await start();
  const page = await browser.newPage();
  await page.goto(`${origin}${logs}?type=flow.created`);
  expect(page.url()).toContain(provider.issuer);
  await enter(page, 'ada');
  await page.waitForURL(`${origin}${logs}?type=flow.created`);
  await page.getByText('Ada Lovelace').waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  // The page moves on to the provider by itself, which asks.
  await page.waitForURL(`${provider.issuer}/**`);
  const { rows } = await db.query('select from audit.page_sessions');
  expect(rows).toHaveLength(0);
  await page.getByRole('button', { name: 'Yes, sign me out' }).click();
  await page.waitForURL(`${origin}/signed-out*`);
  await expectAccessible(page);
  await screenshot(page, 'signed-out');
  await page.goto(origin + logs);
  expect(page.url()).toContain(provider.issuer);
});

it('shows to a member that the page is not for them, and the way out', async () => {
  const { origin } = await start();
  const page = await browser.newPage({ expectedErrors: [/403/] });
  await page.goto(origin + logs);
  await enter(page, 'bob');
  await page.getByRole('heading', { name: 'This page is for organization admins' }).waitFor();
  expect(await page.locator('body').textContent()).not.toContain('acme');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await expectAccessible(page);
  await screenshot(page, 'not-an-admin');
});

it('keeps a form whose session ended, says so, and saves it after a sign-in in another tab', async () => {
  const { origin, db } = await start();
  const page = await browser.newPage({ expectedErrors: [/401/, /422/] });
  await page.goto(origin + logs);
  await enter(page, 'ada');
  await page.waitForURL(origin + logs);
  await page.goto(`${origin}${logs}/export/new`);
  const endpoint = page.getByLabel('Endpoint');
  await endpoint.fill('not an address');
  await db.query('delete from audit.page_sessions');
  await page.getByRole('button', { name: 'Add destination' }).click();
  const bar = page.locator('#session-bar');
  await bar.getByText('You were signed out').waitFor();
  await expectAccessible(page);
  await screenshot(page, 'signed-out-bar');
  expect(await endpoint.inputValue()).toBe('not an address');
  expect(page.url()).toBe(`${origin}${logs}/export/new`);

  // The provider still knows her.
  const [tab] = await Promise.all([page.waitForEvent('popup'), bar.getByRole('link').click()]);
  await tab.getByRole('heading', { name: 'You are signed in' }).waitFor();
  await tab.close();
  await bar.waitFor({ state: 'hidden' });
  expect(await endpoint.inputValue()).toBe('not an address');
  await page.getByRole('button', { name: 'Add destination' }).click();
  await page.locator('#field-endpoint-problem').waitFor();
  expect(await endpoint.inputValue()).toBe('not an address');
});

it('copies and downloads nothing once the session has ended, and says why', async () => {
  const { origin, db } = await start();
  const page = await browser.newPage({ expectedErrors: [/401/] });
  await page.goto(origin + logs);
  await enter(page, 'ada');
  await page.waitForURL(origin + logs);
  await db.query('delete from audit.page_sessions');
  await page.locator('summary', { hasText: 'Download' }).click();
  await page.locator('a[data-download]').first().click();
  await page.locator('#progress').getByText('nothing was saved. You were signed out').waitFor();
  await page.locator('#session-bar').getByText('You were signed out').waitFor();
});

it('says in words what went wrong at the provider', async () => {
  const { origin } = await start();
  const page = await browser.newPage({ expectedErrors: [/403/] });
  await page.goto(origin + logs);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('heading', { name: 'The identity provider did not let you in' }).waitFor();
  await expectAccessible(page);
  await screenshot(page, 'sign-in-cancelled');
  await page.getByRole('link', { name: 'Sign in again' }).click();
  await enter(page, 'ada');
  await page.waitForURL(origin + logs);
});

it('without scripts, says that nothing was saved, and sends what was typed again on a reload', async () => {
  const { origin, db } = await start();
  const page = await browser.newPage({ javaScriptEnabled: false, expectedErrors: [/401/, /422/] });
  await page.goto(origin + logs);
  await enter(page, 'ada');
  await page.waitForURL(origin + logs);
  await page.goto(`${origin}${logs}/export/new`);
  await page.getByLabel('Endpoint').fill('not an address');
  await db.query('delete from audit.page_sessions');
  await page.getByRole('button', { name: 'Add destination' }).click();
  await page.getByRole('heading', { name: 'You were signed out, and nothing was saved' }).waitFor();
  const [tab] = await Promise.all([
    page.waitForEvent('popup'),
    page.getByRole('link', { name: 'Sign in (new tab)' }).click(),
  ]);
  await tab.getByRole('heading', { name: 'You are signed in' }).waitFor();
  await page.reload();
  expect(await page.getByLabel('Endpoint').inputValue()).toBe('not an address');
  await page.locator('#field-endpoint-problem').waitFor();
});
