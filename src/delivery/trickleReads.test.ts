import { expect, onTestFinished, test, vi } from 'vitest';
import type { PageCall } from '../database/readWindow.ts';
import { ReadPlaces } from './readPlaces.ts';
import { TrickleReads } from './trickleReads.ts';

test('asks nothing for streams that have all been interrupted while they waited', async () => {
  let asked = 0;
  const db = {
    connect: async () => {
      asked++;
      throw new Error('asked');
    },
  };
  const trickles = new TrickleReads(new ReadPlaces(4));
  const call = { stream: { organization: 'acme' }, onEntry: () => 'taken' } as unknown as PageCall;
  // The first goes alone, and the others wait for it together.
  const reads = [1, 2, 3].map(() => trickles.read(db as never, call, AbortSignal.abort()));
  expect(await Promise.all(reads)).toEqual(['aborted', 'aborted', 'aborted']);
  expect(asked).toBe(0);
});

test('nobody waits while an organization with slow entries waits for the one place that it has', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const never = new AbortController().signal;
  const places = new ReadPlaces(4);
  const db = { connect: () => Promise.reject(new Error('asked')) };
  const trickles = new TrickleReads(places);
  const read = (organization: string, interrupt = never) =>
    trickles.read(
      db as never,
      { stream: { organization }, onEntry: () => 'taken' } as unknown as PageCall,
      interrupt,
    );
  await places.run('slow', never, async () => vi.advanceTimersByTime(2_000));
  const running = Promise.withResolvers<void>();
  const held = places.run('slow', never, () => running.promise);
  const gone = new AbortController();
  const waiting = read('slow', gone.signal);
  await expect(read('acme')).rejects.toThrow();
  gone.abort();
  expect(await waiting).toBe('aborted');
  running.resolve();
  await held;
});
