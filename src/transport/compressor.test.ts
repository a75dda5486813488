import { randomBytes } from 'node:crypto';
import { createGzip, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Compressors, Kept } from './compressor.ts';

const codings = { gzip: gunzipSync, zstd: zstdDecompressSync } as const;

const bodies: Uint8Array[] = [
  new Uint8Array(0),
  Buffer.from('a'),
  randomBytes(10_000),
  Buffer.alloc(3_000_000, 'audit entry '),
  // Larger than the compressor's room for results, which cannot be compressed.
  randomBytes(1_500_000),
];

describe.each(['gzip', 'zstd'] as const)('%s', (coding) => {
  test('can be undone, whatever was compressed before, and at the same time', async () => {
    const compressors = new Compressors();
    for (let round = 0; round < 5; round++) {
      const order = round % 2 === 0 ? bodies : bodies.toReversed();
      const results = await Promise.all(
        [...order, ...order].map((body) => compressors.compress(coding, body)),
      );
      for (const [n, result] of results.entries()) {
        expect(codings[coding](result).equals(order[n % order.length] as Uint8Array)).toBe(true);
      }
    }
  });

  test('has the same bytes for the same body', async () => {
    const compressors = new Compressors();
    const body = Buffer.from(Array.from({ length: 5_000 }, (_, n) => `entry ${n * 7}`).join());
    const first = await compressors.compress(coding, body);
    await compressors.compress(coding, randomBytes(10_000));
    expect(await compressors.compress(coding, body)).toEqual(first);
    expect(first.length).toBeLessThan(body.length / 2);
  });
});

test('none leaves the body as it is', async () => {
  const body = randomBytes(10);
  expect(await new Compressors().compress('none', body)).toBe(body);
});

test('goes on after there was no memory for compressors, however often', async () => {
  let isFull = true;
  const kept = new Kept(() => {
    if (isFull) throw new Error('Initialization failed');
    return createGzip();
  });
  for (let n = 0; n < 8; n++) await expect(kept.take()).rejects.toThrow('Initialization failed');
  isFull = false;
  const compressors = [await kept.take(), await kept.take(), await kept.take(), await kept.take()];
  // The fifth waits, gets the place of one that failed, and cannot be made: the sixth is asked then.
  const [fifth, sixth] = [kept.take(), kept.take()];
  isFull = true;
  if (compressors[0]) kept.drop(compressors[0]);
  await expect(fifth).rejects.toThrow('Initialization failed');
  await expect(sixth).rejects.toThrow('Initialization failed');
  const seventh = kept.take();
  isFull = false;
  await expect(seventh).rejects.toThrow('Initialization failed');
  for (const compressor of [...compressors.slice(1), await kept.take()]) compressor.destroy();
});
