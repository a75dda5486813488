/** What an open page says when its answers do not come, or come from something in front of it. */
import { createServer, type ServerResponse, request as sendRequest } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closeServer, listen } from '../../src/operations/listen.ts';
import { findFreePort } from '../../tools/freePort.ts';
import { expectAccessible, screenshot, useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { makePageEntries, writePageEntries } from '../tools/pageEntries.ts';
import { type PageUnderTest, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

type Interference = (response: ServerResponse) => void;

interface Proxied extends PageUnderTest {
  /** null: requests pass. */
  interfere(how: Interference | null): void;
}

/** The page behind a proxy that signs people in, and may answer in its place. */
async function startBehindProxy(): Promise<Proxied> {
  const [port, upstream] = await Promise.all([findFreePort(), findFreePort()]);
  let interference: Interference | null = null;
  const server = createServer((request, response) => {
    if (interference !== null) {
      interference(response);
      return;
    }
    const onward = sendRequest(
      { port: upstream, method: request.method, path: request.url, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  const error = await listen(server, { host: '127.0.0.1', port });
  if (error !== null) throw error;
  const page = await startPageUnderTest(postgres, {
    port: upstream,
    publicOrigin: `http://127.0.0.1:${port}`,
  });
  onTestFinished(() => closeServer(server, 0));
  await writePageEntries(page.db, makePageEntries(3));
  return {
    ...page,
    interfere(how) {
      interference = how;
    },
  };
}

const html = '<!doctype html><title>Login</title><h1>Please log in</h1>';
const interferences: [string, Interference][] = [
  ['a login page', (response) => response.setHeader('Content-Type', 'text/html').end(html)],
  [
    'a redirect to another site',
    (response) => response.writeHead(302, { Location: 'http://localhost:9/' }).end(),
  ],
  ['a redirect of its own', (response) => response.writeHead(302, { Location: '/oauth2/start' }).end()],
  ['502', (response) => response.writeHead(502, { 'Content-Type': 'text/html' }).end('<h1>Bad gateway</h1>')],
];

describe.each(interferences)('a proxy that answers with %s', (_what, interference) => {
  it('leaves the open form as it is, says so, and is forgotten when it is over', async () => {
    const proxied = await startBehindProxy();
    const page = await browser.newPage({ expectedErrors: [/./] });
    await page.goto(`${proxied.origin}${logs}/export/new`);
    const endpoint = page.getByLabel('Endpoint');
    await endpoint.fill('https://otel.example.com');
    proxied.interfere(interference);
    await page.getByRole('button', { name: 'Add destination' }).click();
    const bar = page.locator('#session-bar');
    await bar.getByText('Something in front of this page answers instead of it').waitFor();
    expect(await endpoint.inputValue()).toBe('https://otel.example.com');
    expect(await page.locator('body').textContent()).not.toMatch(/Please log in|Bad gateway/);
    expect(page.url()).toBe(`${proxied.origin}${logs}/export/new`);
    proxied.interfere(null);
    await bar.getByText('Do it again').waitFor();
    await page.getByRole('button', { name: 'Add destination' }).click();
    await bar.waitFor({ state: 'hidden' });
  });

  it('is not copied or downloaded, and the poll says that it is there', async () => {
    const proxied = await startBehindProxy();
    const page = await browser.newPage({ expectedErrors: [/./] });
    await page.clock.install();
    await page.goto(proxied.origin + logs);
    proxied.interfere(interference);
    await page.clock.runFor(10_500);
    await page.locator('#session-bar').getByText('Something in front of this page').waitFor();
    expect(await page.locator('[data-row]').count()).toBe(3);
    await page.locator('summary', { hasText: 'Download' }).click();
    await page.locator('a[data-download]').first().click();
    await page.locator('#progress').getByText('nothing was saved. Something in front of this page').waitFor();
  });
});

describe('a server that does not answer', () => {
  it('leaves a bar under a search until an answer came', async () => {
    const proxied = await startBehindProxy();
    const page = await browser.newPage({ expectedErrors: [/./] });
    await page.goto(proxied.origin + logs);
    let dropped = 0;
    proxied.interfere((response) => {
      dropped += 1;
      response.destroy();
    });
    await page.getByRole('searchbox').fill('nothing like this');
    const bar = page.locator('#stale');
    await bar.getByText('Not up to date').waitFor();
    expect(dropped).toBeGreaterThan(0);
    await expectAccessible(page);
    await screenshot(page, 'not-up-to-date');
    proxied.interfere(null);
    // The rows are still those of the former search.
    expect(await bar.isVisible()).toBe(true);
    await page.getByRole('searchbox').fill('nothing like that');
    await bar.waitFor({ state: 'hidden' });
    expect(await page.locator('[data-row]').count()).toBe(0);
  });

  it('is asked again for just what it did not answer: the next rows, or all of the page', async () => {
    const proxied = await startBehindProxy();
    await writePageEntries(proxied.db, makePageEntries(60));
    const page = await browser.newPage({ expectedErrors: [/./] });
    await page.goto(proxied.origin + logs);
    const rows = page.locator('[data-row]');
    const failAndAskAgain = async (link: string) => {
      proxied.interfere((response) => response.destroy());
      await page.getByRole('link', { name: link }).click();
      await page.locator('#stale').getByText('Not up to date').waitFor();
      proxied.interfere(null);
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.locator('#stale').waitFor({ state: 'hidden' });
    };
    await failAndAskAgain('Load older');
    await page.getByText('no more entries').waitFor();
    expect(await rows.count()).toBe(63);
    await failAndAskAgain('Remove Last 30 days');
    await expect.poll(() => new URL(page.url()).search).toBe('?range=all');
    expect(await rows.count()).toBe(50);
    for (const part of ['#q', '#histogram', '#results', '#stale'])
      expect(await page.locator(part).count(), part).toBe(1);
  });
});

describe('a refusal', () => {
  it.each([
    [403, 'You do not administer'],
    [429, 'You can do this 20 times an hour'],
    [503, 'The database does not answer'],
  ])('of a download and of a copy is told in the words of the page: %s', async (status, words) => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, makePageEntries(1));
    const page = await browser.newPage({
      expectedErrors: [/./],
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await page.goto(origin + logs);
    const headers = { 'X-Audit-Export': 'page', 'Content-Type': 'text/plain; charset=utf-8' };
    await page.route(/entries(\.csv|\/[^/]+\/json)/, (route) => {
      expect(route.request().headers()['accept']).toMatch(/^text\/plain/);
      return route.fulfill({ status, headers, body: `Title. ${words}.` });
    });
    await page.locator('summary', { hasText: 'Download' }).click();
    await page.locator('a[data-download*="csv"], a[href*="entries.csv"]').first().click();
    await page.locator('#progress').getByText(words).waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.locator('[data-row]').first().click();
    await page.locator('[data-copy$="json"]').click();
    await page.locator('#toast').getByText(`Nothing was copied. Title. ${words}.`).waitFor();
  });

  it('is plain text to a script that asks for it', async () => {
    const { origin } = await startPageUnderTest(postgres);
    const response = await fetch(`${origin}/organizations/globex/audit-logs/entries.csv`, {
      headers: { Accept: 'text/plain, */*;q=0.1' },
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      403,
      'text/plain; charset=utf-8',
    ]);
    expect(await response.text()).toMatch(/^This page is for organization admins\. You do not administer/);
  });
});

describe('assets under the address of another version', () => {
  it('are served, but not to be kept; what there is not is still not found', async () => {
    const { origin } = await startPageUnderTest(postgres);
    for (const name of ['app.css', 'app.js', 'htmx.js', 'icons.svg']) {
      const response = await fetch(`${origin}/assets/0therVersion/${name}`);
      expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    }
    for (const path of ['0therVersion/nothing.js', '0therVersion/..%2Fapp.js', 'app.css']) {
      expect((await fetch(`${origin}/assets/${path}`)).status).toBe(404);
    }
  });
});
