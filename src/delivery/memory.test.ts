import { expect, test } from 'vitest';
import { planMemory } from './memory.ts';

const mebibyte = 1024 * 1024;

test.each([
  [64, 8],
  [256, 24],
  [512, 64],
  [32_768, 64],
])('a process of %i MiB holds %i MiB of entries at most', (limit, budget) => {
  expect(planMemory(limit * mebibyte).budgetBytes).toBe(budget * mebibyte);
});

test('without a limit, the machine is the limit', () => {
  expect(planMemory().budgetBytes).toBeGreaterThanOrEqual(8 * mebibyte);
});
