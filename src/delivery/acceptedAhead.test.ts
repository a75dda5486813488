import { expect, test } from 'vitest';
import { AcceptedAhead } from './acceptedAhead.ts';

const at = (xid: number, id: number) => ({ xid: BigInt(xid), id: BigInt(id) });

function makeAccepted(): AcceptedAhead {
  const accepted = new AcceptedAhead();
  accepted.add({ first: 11, last: 20, from: at(100, 1), to: at(104, 10) });
  return accepted;
}

test('knows a record by its number and its place together', () => {
  const accepted = makeAccepted();
  expect(accepted.has(11, at(100, 1))).toBe(true);
  expect(accepted.has(20, at(104, 10))).toBe(true);
  expect(accepted.has(15, at(102, 99))).toBe(true);
});

test('takes no other entry for one that was sent, though it has the same number', () => {
  const accepted = makeAccepted();
  expect(accepted.has(20, at(104, 11))).toBe(false);
  expect(accepted.has(11, at(99, 500))).toBe(false);
  expect(accepted.has(12, at(200, 1))).toBe(false);
  expect(accepted.has(21, at(104, 10))).toBe(false);
});

test('forgets what the position has moved over, and everything at once when asked', () => {
  const accepted = makeAccepted();
  accepted.settledUpTo(19);
  expect(accepted.has(20, at(104, 10))).toBe(true);
  accepted.settledUpTo(20);
  expect(accepted.has(20, at(104, 10))).toBe(false);
  const another = makeAccepted();
  another.forget();
  expect(another.has(15, at(102, 1))).toBe(false);
});
