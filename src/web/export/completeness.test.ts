import { expect, it } from 'vitest';
import { describeCompleteness } from './completeness.ts';

it.each([
  [0, 0, 'No number was given to an entry yet.'],
  [1567, 1566, 'Numbers 1 to 1,567: 1,566 accepted, 1 parked, 0 rejected, none missing.'],
])('says of %i numbers and %i accepted entries whether they add up', (sequence, delivered, words) => {
  expect(describeCompleteness({ sequence, delivered, parked: 1, rejected: 0 })).toBe(words);
});
