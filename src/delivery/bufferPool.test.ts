import { expect, test } from 'vitest';
import { BufferPool } from './bufferPool.ts';

const mebibyte = 1024 * 1024;

test('gives out what came back, once', () => {
  const pool = new BufferPool(4 * mebibyte);
  const buffer = new Uint8Array(mebibyte);
  expect(pool.take()).toBeUndefined();
  pool.give(buffer);
  expect(pool.take()).toBe(buffer);
  expect(pool.take()).toBeUndefined();
});

test('keeps no more than its limit, and no small ones', () => {
  const pool = new BufferPool(2 * mebibyte);
  for (let i = 0; i < 3; i++) pool.give(new Uint8Array(mebibyte));
  pool.give(new Uint8Array(10));
  expect([pool.take(), pool.take(), pool.take()].filter(Boolean)).toHaveLength(2);
});
