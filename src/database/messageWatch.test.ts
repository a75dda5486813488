import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { MessageWatch } from './messageWatch.ts';

function message(kind: string, bytes: number): Buffer {
  const head = Buffer.from(`${kind}0000`);
  head.writeInt32BE(bytes + 4, 1);
  return Buffer.concat([head, Buffer.alloc(bytes, 'd')]);
}

test.each([1, 2, 3, 5, 7, 64, 10_000])('finds a large message by its head, in chunks of %i bytes', (size) => {
  const stream = new PassThrough();
  const found: number[] = [];
  new MessageWatch(stream, 100, (bytes) => found.push(bytes));
  const all = Buffer.concat([
    message('H', 7),
    message('d', 100),
    message('d', 0),
    message('C', 500), // no row
    message('d', 101),
    message('d', 300),
  ]);
  for (let at = 0; at < all.length; at += size) stream.emit('data', all.subarray(at, at + size));
  expect(found).toEqual([101]);
  expect(stream.listenerCount('data')).toBe(0);
});
