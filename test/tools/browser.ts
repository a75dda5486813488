/**
 * A real Chromium for tests of the page: one for a test file, a fresh context for each page.
 *
 * A page that printed an error, broke the Content-Security-Policy or threw fails its test when that ends, whatever else
 * was asserted.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, chromium as launcher, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest';
import { withFolderLock } from './folderLock.ts';

export interface PageOptions extends BrowserContextOptions {
  /** Console errors that the test brings about, such as the one of a 422. */
  readonly expectedErrors?: readonly RegExp[];
}

export interface TestBrowser {
  /** A page of a context of its own, closed with the test; 1280 × 800 and light unless it says otherwise. */
  newPage(options?: PageOptions): Promise<Page>;
}

/**
 * Gives the test file (or `describe` block) that calls it a browser, and takes it away afterwards.
 *
 * @param moreArguments of Chromium, asked for when it starts, after the `beforeAll` before.
 */
export function useBrowser(moreArguments: () => readonly string[] = () => []): TestBrowser {
  let browser: Browser | undefined;
  // A browser, a server and a database on one machine: seconds, and more of them when tests run side by side.
  vi.setConfig({ testTimeout: 90_000 });
  beforeAll(async () => {
    browser = await launch(moreArguments());
  });
  afterAll(async () => {
    await browser?.close();
  });
  return {
    async newPage({ expectedErrors = [], ...options } = {}) {
      if (browser === undefined) throw new Error('The browser is there from beforeAll to afterAll only.');
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        colorScheme: 'light',
        timezoneId: 'Europe/Berlin',
        ...options,
      });
      context.setDefaultTimeout(20_000);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(`threw ${error.stack ?? error.message}`));
      page.on('console', (message) => {
        const text = `${message.type()}: ${message.text()}`;
        const isComplaint = message.type() === 'error' || message.type() === 'warning';
        if (isComplaint && !expectedErrors.some((pattern) => pattern.test(text))) complaints.push(text);
      });
      onTestFinished(async () => {
        await context.close();
        expect(complaints, 'what the browser complained about').toEqual([]);
      });
      return page;
    },
  };
}

const everyRule = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const rulesOfColour = ['color-contrast', 'link-in-text-block'];

/**
 * Asserts that axe finds nothing by WCAG 2.2 AA, in the light and in the dark. Between the two only colours differ: the
 * second scan is of those rules alone, which halves the time.
 */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    // In this mode it needs no second page for its report; the other is for frames of other origins.
    const axe = new AxeBuilder({ page }).setLegacyMode();
    if (colorScheme === 'light') axe.withTags(everyRule);
    else axe.withRules(rulesOfColour);
    const { violations } = await axe.analyze();
    const found = violations.map(({ id, help, nodes }) => ({
      id,
      help,
      where: nodes.map((node) => `${node.target.join(' ')}: ${node.failureSummary ?? ''}`),
    }));
    expect(found, `axe, ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null });
}

/** Asserts that nothing sticks out of the window: the page as a whole never scrolls sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const [content, window] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  );
  expect(content, 'width of the page').toBeLessThanOrEqual(window);
}

const screenshots = fileURLToPath(new URL('../screenshots/', import.meta.url));

/** Writes test/screenshots/NAME.png, light, and NAME-dark.png; for people to look at, so not where `CI` is set and nobody does. */
export async function screenshot(page: Page, name: string): Promise<void> {
  if (process.env['CI']) return;
  await mkdir(screenshots, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const path = join(screenshots, `${name}${colorScheme === 'dark' ? '-dark' : ''}.png`);
    // Hiding the caret would be an inline style, which the page's policy refuses.
    await page.screenshot({ path, animations: 'disabled', caret: 'initial' });
  }
  await page.emulateMedia({ colorScheme: null });
}

/**
 * The first row turns off what is under test: same-origin rules, and processes of which closing one page would end all.
 * The second costs more than half of the CPU time: without a zygote each page loads the whole program again, and a
 * graphics card in software is slower than none (three files of tests: 43 s before, 20 s after).
 */
const unwantedArguments = [
  /single-process|web-security|running-insecure|site-isolation|disable-features/,
  /no-zygote|gpu|angle|swiftshader/,
];

async function launch(moreArguments: readonly string[]): Promise<Browser> {
  const args = chromium.args.filter((arg) => !unwantedArguments.some((unwanted) => unwanted.test(arg)));
  return launcher.launch({
    executablePath: await unpack(),
    args: [...args, '--disable-gpu', ...moreArguments],
    headless: true,
  });
}

/** Several workers may come at once, and one that was stopped leaves half a file. */
async function unpack(): Promise<string> {
  const binary = join(tmpdir(), 'chromium');
  const finished = join(tmpdir(), 'chromium.unpacked');
  if (!existsSync(finished) || !existsSync(binary)) {
    await withFolderLock(join(tmpdir(), 'chromium.lock'), async () => {
      if (existsSync(finished) && existsSync(binary)) return;
      await rm(binary, { force: true });
      await chromium.executablePath();
      await writeFile(finished, '');
    });
  }
  return chromium.executablePath();
}
