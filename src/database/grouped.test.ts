import { expect, test } from 'vitest';
import { Grouped } from './grouped.ts';
import type { Database } from './pool.ts';

const db = {} as Database;

interface Asked {
  readonly ids: string;
  readonly isAlone: boolean;
}

/** Answers when it is told to, with `of ID` for each id that `answers` lets through. */
function makeGrouped(
  answers: (ids: readonly string[], isAlone: boolean) => readonly string[] = (ids) => ids,
) {
  const asked: Asked[] = [];
  const open: Array<() => void> = [];
  const grouped = new Grouped<{ id: string }, string>(async (_db, members, isAlone) => {
    const ids = members.map(({ id }) => id);
    asked.push({ ids: ids.join(' '), isAlone });
    await new Promise<void>((resolve) => open.push(resolve));
    return new Map(answers(ids, isAlone).map((id) => [id, `of ${id}`]));
  });
  return {
    asked,
    call: (id: string) => grouped.call(db, { id }),
    /** Lets the statement that was asked first go on. */
    answer: async () => {
      open.shift()?.();
      await new Promise(setImmediate);
    },
  };
}

const postgresError = Object.assign(new Error('duplicate key'), { code: '23505', severity: 'ERROR' });

test('one goes at once, and those that come meanwhile go together, in one order', async () => {
  const { asked, call, answer } = makeGrouped();
  const calls = ['a', 'd', 'c', 'b'].map(call);
  expect(asked).toEqual([{ ids: 'a', isAlone: false }]);
  await answer();
  expect(asked[1]).toEqual({ ids: 'b c d', isAlone: false });
  await answer();
  expect(await Promise.all(calls)).toEqual(['of a', 'of d', 'of c', 'of b']);
  const late = call('e');
  expect(asked[2]).toEqual({ ids: 'e', isAlone: false });
  await answer();
  expect(await late).toBe('of e');
});

test('a statement has at most a hundred members', async () => {
  const { asked, call, answer } = makeGrouped();
  const calls = Array.from({ length: 202 }, (_, n) => call(`m${n}`));
  for (let i = 0; i < 4; i++) await answer();
  await Promise.all(calls);
  expect(asked.map(({ ids }) => ids.split(' ').length)).toEqual([1, 100, 100, 1]);
});

test('whoever was passed over asks again alone, and holds up nobody', async () => {
  const { asked, call, answer } = makeGrouped((ids, isAlone) =>
    isAlone ? [] : ids.filter((id) => id !== 'b'),
  );
  const [a, b, c] = ['a', 'b', 'c'].map(call);
  await answer();
  await answer();
  expect([await a, await c]).toEqual(['of a', 'of c']);
  expect(asked.at(-1)).toEqual({ ids: 'b', isAlone: true });
  // It still waits, and the next ones do not.
  const d = call('d');
  expect(asked.at(-1)).toEqual({ ids: 'd', isAlone: false });
  await answer();
  expect(await b).toBeNull();
  await answer();
  expect(await d).toBe('of d');
});

test('what Postgres refuses as a whole is asked one by one', async () => {
  const { asked, call, answer } = makeGrouped((ids) => {
    if (ids.includes('bad')) throw postgresError;
    return ids;
  });
  const ended = Promise.allSettled(['first', 'bad', 'good'].map(call));
  for (let i = 0; i < 4; i++) await answer();
  expect(await ended).toMatchObject([{ value: 'of first' }, { reason: postgresError }, { value: 'of good' }]);
  expect(asked.slice(1)).toEqual([
    { ids: 'bad good', isAlone: false },
    { ids: 'bad', isAlone: true },
    { ids: 'good', isAlone: true },
  ]);
});

test('without an answer of Postgres nothing is asked again, since it may have been done', async () => {
  const { asked, call, answer } = makeGrouped(() => {
    throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  });
  const ended = Promise.allSettled([call('a')]);
  await answer();
  expect(await ended).toMatchObject([{ reason: { code: 'ECONNRESET' } }]);
  expect(asked).toHaveLength(1);
});
