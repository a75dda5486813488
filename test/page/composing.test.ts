/** Keys of an input method that composes are its own: they neither close, nor ask, nor take a value. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { useBrowser } from '../tools/browser.ts';
import { migrateDatabase } from '../tools/database.ts';
import { writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const logs = '/organizations/acme/audit-logs';

/** Composes in what has the focus, presses `key`, and ends with the text taken. */
async function composeAndPress(page: Page, key: 'Escape' | 'Enter', code: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Input.imeSetComposition', { text: 'にほん', selectionStart: 3, selectionEnd: 3 });
  for (const type of ['rawKeyDown', 'keyUp'] as const)
    await session.send('Input.dispatchKeyEvent', { type, key, code: key, windowsVirtualKeyCode: code });
  await session.send('Input.insertText', { text: '日本' });
}

it('Esc neither closes the drawer nor asks about what was typed; without an input method it does', async () => {
  const { origin } = await startPageUnderTest(postgres);
  const page = await browser.newPage();
  const questions: string[] = [];
  page.on('dialog', (dialog) => {
    questions.push(dialog.message());
    void dialog.accept();
  });
  await page.goto(`${origin}${logs}/export/new`);
  const name = page.getByLabel('Name', { exact: true });
  await name.focus();
  await composeAndPress(page, 'Escape', 27);
  await expect.poll(() => name.inputValue()).toBe('日本');
  expect(questions).toEqual([]);
  expect(await page.locator('#drawer:modal').count()).toBe(1);
  await page.keyboard.press('Escape');
  await page.locator('#drawer:modal').waitFor({ state: 'detached' });
  expect(questions).toEqual(['Discard what you typed? It is not saved.']);
});

it('neither Esc closes a menu of values, nor does Enter choose what is not finished', async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  await writePageEntries(db, [{ eventType: 'a.one' }]);
  const page = await browser.newPage();
  await page.goto(origin + logs);
  await page.locator('.filters summary', { hasText: 'Actor' }).click();
  const input = page.locator('#actor');
  await input.focus();
  await composeAndPress(page, 'Escape', 27);
  await expect.poll(() => input.inputValue()).toBe('日本');
  expect(await page.locator('details.menu[open]').count()).toBe(1);
  await composeAndPress(page, 'Enter', 13);
  await expect.poll(() => input.inputValue()).toBe('日本日本');
  expect(await page.locator('[data-entered] input').count()).toBe(0);
  await page.keyboard.press('Enter');
  await page.locator('.chip', { hasText: 'Actor: 日本日本' }).waitFor();
});
