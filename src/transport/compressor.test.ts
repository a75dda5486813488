import { randomBytes } from 'node:crypto';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Compressors } from './compressor.ts';

const memory = vi.hoisted(() => ({ isFull: false }));
vi.mock('node:zlib', async (load) => {
  const zlib = await load<typeof import('node:zlib')>();
  const createGzip: typeof zlib.createGzip = (options) => {
    if (memory.isFull) throw new Error('Initialization failed');
    return zlib.createGzip(options);
  };
  return { ...zlib, createGzip };
});

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
  onTestFinished(() => {
    memory.isFull = false;
  });
  memory.isFull = true;
  const compressors = new Compressors();
  const body = randomBytes(10_000);
  for (let n = 0; n < 8; n++)
    await expect(compressors.compress('gzip', body)).rejects.toThrow('Initialization failed');
  memory.isFull = false;
  expect(gunzipSync(await compressors.compress('gzip', body)).equals(body)).toBe(true);
});
