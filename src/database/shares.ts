/**
 * Shares the page's connections: one organization, however much it asks for and however slow, leaves some for the others.
 *
 * All but one of the connections serve searches, and one organization has all but one of those.
 */

import { FairTurns } from '../basics/fairTurns.ts';
import { boundedRead, type Reader } from './boundedRead.ts';
import type { Database } from './pool.ts';

/** After this wait the database counts as busy, as when a pool has no free connection for this long. */
const longestWaitMs = 10_000;

const turnsOf = new WeakMap<Database, FairTurns>();

/**
 * Runs `boundedRead` when it is this organization's turn. Never nest two of them.
 *
 * @throws the signal's reason, or an error saying that it took too long.
 */
export async function sharedRead<T>(
  db: Database,
  organization: string,
  timeoutMs: number,
  work: (reader: Reader) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  let turns = turnsOf.get(db);
  if (!turns) {
    const most = Math.max(1, db.options.max - 1);
    const mostEach = Math.max(1, most - 1);
    turns = new FairTurns((_organization, own, all) => all < most && own < mostEach);
    turnsOf.set(db, turns);
  }
  const end = AbortSignal.any([AbortSignal.timeout(longestWaitMs), ...(signal ? [signal] : [])]);
  const result = await turns.run(organization, end, async () => ({
    read: await boundedRead(db, timeoutMs, work),
  }));
  if (result !== 'aborted') return result.read;
  signal?.throwIfAborted();
  throw new Error(
    'timeout exceeded when trying to connect: too many searches of this organization are under way',
  );
}
