import { expect, it } from 'vitest';
import type { Outcome } from '../../model/outcome.ts';
import { type FailureReason, failureReasons } from '../../model/reasons.ts';
import { describeTest } from './testWords.ts';

const url = 'https://otel.example.com/v1/logs';
const reasons = Object.keys(failureReasons) as FailureReason[];

it.each(reasons)('says what happened and what to do after %s, and promises no second try', (reason) => {
  const outcome: Outcome = { kind: 'hold', reason, message: 'What happened.' };
  const { tone, title, message, advice } = describeTest(outcome, url, 5);
  expect(tone).toBe('bad');
  expect(title).not.toBe('');
  expect(message).toBe('What happened.');
  expect(advice).not.toBe('');
  expect(advice).not.toMatch(/retried automatically|Nothing to do|entry is kept|replay what is parked/);
});

it('calls only a kept record delivered', () => {
  expect(describeTest({ kind: 'settled', rejected: 0, message: '' }, url, 41.6)).toMatchObject({
    tone: 'good',
    title: 'Delivered',
    message: `${url} took the test record in 42 ms.`,
  });
  expect(describeTest({ kind: 'settled', rejected: 1, message: 'quota' }, url, 1)).toMatchObject({
    tone: 'warn',
    message: `${url} took the request, but will not keep the record. It says: "quota"`,
  });
});

it('says that nothing came in time', () => {
  expect(describeTest('aborted', url, 11_000).message).toBe(`${url} did not answer within 10 seconds.`);
});
