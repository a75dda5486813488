/** A product at work beside a release, and whether each of its entries arrived. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { insertEntries, numbered } from '../tools/database.ts';
import type { Release } from './release.ts';

export interface Product {
  /** Resolves when it writes no more. */
  stop(): Promise<void>;
}

const entriesAtOnce = 10;

/** Writes until it is stopped, for one organization after the other; a statement that fails is given up. */
export function startProduct(
  db: Database,
  perSecond: number,
  organizations: readonly string[] = ['acme'],
): Product {
  let isStopping = false;
  const writing = (async () => {
    for (let turn = 0; !isStopping; turn++) {
      const organization = organizations[turn % organizations.length] ?? '';
      await insertEntries(db, numbered(entriesAtOnce, { organization })).catch(() => {});
      await delay((1_000 * entriesAtOnce) / perSecond);
    }
  })();
  return {
    stop() {
      isStopping = true;
      return writing;
    },
  };
}

interface Expected {
  readonly id: string;
  /** Committed entries of its organization. */
  readonly uids: readonly string[];
}

/** What every stream is to have delivered by now: each entry of its organization that is committed. */
async function readExpected(db: Database): Promise<Expected[]> {
  const { rows } = await db.query<Expected>(
    `select s.id, array(select e.uid::text from audit.entries e where e.organization = s.organization) as uids
     from audit.streams s`,
  );
  return rows;
}

/**
 * Waits until every entry that is committed now has arrived at each of its streams, and finds the receiver's books right: no
 * gap in the numbers, and no two records that differ. Returns how many it kept, and how many of them again.
 */
export async function expectWhole({ db, receiver }: Release): Promise<{ entries: number; repeats: number }> {
  const expected = await readExpected(db);
  const countMissing = () =>
    expected.map(({ id, uids }) => {
      const kept = receiver.ledger.kept(id);
      return uids.filter((uid) => !kept.has(uid)).length;
    });
  await waitFor(() => countMissing().every((count) => count === 0), {
    timeoutMs: 120_000,
    pollMs: 100,
    describe: () => `missing at each stream: ${countMissing()}`,
  });
  expect(receiver.problems).toEqual([]);
  expect(receiver.ledger.differences).toEqual([]);
  let repeats = 0;
  for (const { id } of expected) {
    expect(receiver.ledger.missingSequences(id)).toEqual([]);
    for (const { stored: times } of receiver.ledger.sightings(id).values()) repeats += times - 1;
  }
  return { entries: expected.reduce((sum, { uids }) => sum + uids.length, 0), repeats };
}
