import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { RetryLater, WorkQueue } from './workQueue.ts';

/** Work that waits until it is let go, one key at a time. */
function makeQueue(concurrency: number, outcome: (key: string, nth: number) => 'ok' | Error = () => 'ok') {
  const started: string[] = [];
  const failures: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<void>>();
  let atOnce = 0;
  let mostAtOnce = 0;
  const counts = new Map<string, number>();
  const queue = new WorkQueue({
    concurrency,
    retry: { initialMs: 1, maxMs: 4 },
    onFailure: (key) => failures.push(key),
    async work(key) {
      started.push(key);
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      const gate = Promise.withResolvers<void>();
      gates.set(key, gate);
      await gate.promise;
      atOnce--;
      const nth = (counts.get(key) ?? 0) + 1;
      counts.set(key, nth);
      const result = outcome(key, nth);
      if (result instanceof Error) throw result;
    },
  });
  onTestFinished(async () => {
    for (const gate of gates.values()) gate.resolve();
    await queue.stop();
  });
  const release = async (key: string) => {
    gates.get(key)?.resolve();
    await delay(0);
  };
  return { queue, started, failures, release, mostAtOnce: () => mostAtOnce };
}

test('works on keys in the order they came, a few at once', async () => {
  const { queue, started, release, mostAtOnce } = makeQueue(2);
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
  expect([started, queue.depth]).toEqual([['a', 'b'], 2]);
  for (const key of ['b', 'a', 'c', 'd']) await release(key);
  expect([started, mostAtOnce(), queue.depth]).toEqual([['a', 'b', 'c', 'd'], 2, 0]);
});

test('works once on a key that was added often while it waited', async () => {
  const { queue, started, release } = makeQueue(1);
  for (const key of ['a', 'b', 'b', 'b']) queue.add(key);
  await release('a');
  await release('b');
  expect(started).toEqual(['a', 'b']);
});

test('never works twice at once on a key, and once more when it was added meanwhile', async () => {
  const { queue, started, release, mostAtOnce } = makeQueue(4);
  queue.add('a');
  queue.add('a');
  queue.add('a');
  expect(started).toEqual(['a']);
  await release('a');
  expect(started).toEqual(['a', 'a']);
  await release('a');
  expect([started.length, mostAtOnce()]).toEqual([2, 1]);
});

test('comes back to a key whose work failed, and lets others go first', async () => {
  const { queue, started, failures, release } = makeQueue(1, (key, nth) =>
    key === 'a' && nth < 3 ? new Error('not yet') : 'ok',
  );
  queue.add('a');
  queue.add('b');
  await release('a');
  expect(started).toEqual(['a', 'b']);
  await release('b');
  for (let tries = 0; started.filter((key) => key === 'a').length < 3 && tries < 200; tries++) {
    await release('a');
    await delay(1);
  }
  await release('a');
  expect([started, failures]).toEqual([
    ['a', 'b', 'a', 'a'],
    ['a', 'a'],
  ]);
});

test('waits as long as a failure asks for', async () => {
  const { queue, started, release } = makeQueue(1, () => new RetryLater('busy', 3_600_000));
  queue.add('a');
  await release('a');
  await delay(20);
  expect(started).toEqual(['a']);
});

test('starts nothing after a stop, which waits for what runs', async () => {
  const { queue, started, release } = makeQueue(1);
  queue.add('a');
  queue.add('b');
  let isStopped = false;
  const stopping = queue.stop().then(() => {
    isStopped = true;
  });
  await delay(0);
  expect(isStopped).toBe(false);
  await release('a');
  await stopping;
  queue.add('c');
  expect(started).toEqual(['a']);
});
