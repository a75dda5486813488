/** The help that the page serves by itself: docs/admins.md, without a script and without links that lead nowhere. */
import { expect, it } from 'vitest';
import { makeHelpView } from '../../docs/helpPage.ts';
import { useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const list = '/organizations/acme/audit-logs';

it('is one link away from the list, without a script', async () => {
  const { origin } = await startPageUnderTest(postgres);
  const shown = await (await fetch(origin + list)).text();
  const href = /class="button help-link" href="([^"]+)"/.exec(shown)?.[1] ?? '';
  const response = await fetch(origin + href);
  expect(response.status).toBe(200);
  const help = await response.text();
  for (const part of ['Find out what happened', 'Send entries to your SIEM', 'When an export fails']) {
    expect(help).toContain(`<h3>${part}</h3>`);
  }
  expect(help).not.toMatch(/\.md|\]\(|\*\*/);
});

it('opens in the drawer, on a phone too', async () => {
  const { origin } = await startPageUnderTest(postgres);
  const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
  await page.goto(origin + list);
  await page.getByRole('link', { name: 'Help' }).click();
  await page.waitForSelector('#drawer:modal');
  await page.getByRole('heading', { name: 'When an export fails' }).scrollIntoViewIfNeeded();
  const { scroll, client } = await page
    .locator('.help-text')
    .evaluate(({ scrollWidth, clientWidth }) => ({ scroll: scrollWidth, client: clientWidth }));
  expect(scroll).toBeLessThanOrEqual(client);
  expect(new URL(page.url()).pathname).toBe(`${list}/help`);
  await page.keyboard.press('Escape');
  await expect.poll(() => new URL(page.url()).pathname).toBe(list);
});

it.each([
  ['## How *it* is\n', '<h3>How <em>it</em> is</h3>'],
  ['- a <b> & `c`\n- [d](e.md) f', '<ul>\n<li>a &lt;b&gt; &amp; <code>c</code></li>\n<li>d f</li>\n</ul>'],
  ['One. [All of it](page.md). Two.', '<p>One. Two.</p>'],
  ['[Everything](page.md).', ''],
])('makes of %j a view', (markdown, html) => {
  expect(makeHelpView(`# Title\n\n${markdown}`).trim()).toBe(html);
});
