import { expect, it, onTestFinished } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { ClaimWatcher } from './claimWatcher.ts';

function setUp(words: string, committed: readonly string[], stored: readonly string[]) {
  let looks = 0;
  const watcher = new ClaimWatcher({
    look: async () => {
      const kept = { count: stored.length, has: (uid: string) => stored.includes(uid) };
      return new Map([['acme', { words, committed: looks++ === 0 ? committed : [], kept }]]);
    },
    graceMs: 200,
  });
  onTestFinished(() => watcher.stop());
  return watcher;
}

it.each([
  ['a green state of a receiver that never kept an entry', 'Delivering', [], []],
  ['a claim of all where one is missing', 'True Every entry is delivered.', ['a', 'b'], ['a']],
  ['a claim of all but fewer than are missing', 'All but 1 entry are delivered.', ['a', 'b', 'c'], ['a']],
  ['a green state while nothing arrives', 'State Delivering', ['a', 'b'], ['a']],
])('catches %s', async (_, words, committed, stored) => {
  const watcher = setUp(words, committed, stored);
  await waitFor(() => watcher.lies.length > 0);
  expect(watcher.lies[0]).toContain(words);
});

it.each([
  ['every entry that is delivered', 'Every entry is delivered. Delivering', ['a', 'b'], ['a', 'b']],
  ['a claim of all but as many as are missing', 'All but 2 entries are delivered.', ['a', 'b', 'c'], ['a']],
  ['what claims nothing', 'Nothing sent yet', ['a'], []],
])('believes %s', async (_, words, committed, stored) => {
  const watcher = setUp(words, committed, stored);
  await waitFor(() => watcher.checks > 5);
  expect(watcher.lies).toEqual([]);
});
