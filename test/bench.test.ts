/** Keeps the benchmarks from rotting: that they run, never how fast. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { median, meetsGoal, pairedRatio, percentile } from '../bench/tools/figure.ts';

const run = promisify(execFile);

test('a quick benchmark exports, inserts and searches, and prints a figure for each', {
  timeout: 120_000,
}, async () => {
  const { stdout } = await run('node', [
    'bench/run.ts',
    '--quick',
    '--only',
    'export,inserts,poll,page,page-inserts',
  ]);
  expect(stdout).toContain('these figures mean nothing');
  expect(stdout).toMatch(/^export with gzip: entries\/s against COPY.* \d+\.\d\d {2}≥ 0\.65 /m);
  expect(stdout).toMatch(/^export with zstd: entries\/s against COPY.* \d+\.\d\d {2}≥ 0\.8 /m);
  expect(stdout).toMatch(/^inserts\/s against.* \d+\.\d\d {2}≥ 0\.9 /m);
  expect(stdout).toMatch(/^poll: p95 with 1,000 idle streams.* {2}≤ 5 ms /m);
  expect(stdout).toMatch(/^search: absent.* {2}≤ 500 ms /m);
  expect(stdout).toMatch(/^inserts\/s with the page.* {2}≥ 0\.9 /m);
});

test('an unknown benchmark is refused with the names of those there are', async () => {
  const wrong = run('node', ['bench/run.ts', '--only', 'exprot']);
  await expect(wrong).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('exprot') });
  await expect(wrong).rejects.toMatchObject({ stderr: expect.stringContaining('export, poller') });
});

test('compares a figure with its goal in both directions', () => {
  expect(meetsGoal({ ratio: 0.6, goal: '≥ 0.6' })).toBe(true);
  expect(meetsGoal({ ratio: 0.59, goal: '≥ 0.6' })).toBe(false);
  expect(meetsGoal({ ratio: 250, goal: '≤ 250 ms' })).toBe(true);
  expect(meetsGoal({ ratio: 251, goal: '≤ 250 ms' })).toBe(false);
  expect(meetsGoal({ ratio: Number.NaN, goal: '≤ 250 ms' })).toBe(false);
  expect(() => meetsGoal({ ratio: 1, goal: 'fast' })).toThrow('fast');
});

test('takes medians and percentiles of few and of many values', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
  expect(pairedRatio([2, 20, 200], [1, 5, 100])).toBe(2);
  const sorted = Array.from({ length: 1_000 }, (_, i) => i + 1);
  expect(percentile(sorted, 0.99)).toBe(990);
  expect(percentile(sorted, 1)).toBe(1_000);
  expect(percentile([7], 0.5)).toBe(7);
});
