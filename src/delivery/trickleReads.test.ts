import { expect, test } from 'vitest';
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
