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
const spareTurnsOf = new WeakMap<Database, FairTurns>();

/**
 * Runs `boundedRead` when it is this organization's turn. Never nest two of them.
 *
 * @throws the signal's reason, or an error saying that it took too long.
 */
export function sharedRead<T>(
  db: Database,
  organization: string,
  timeoutMs: number,
  work: (reader: Reader) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const most = Math.max(1, db.options.max - 1);
  const mostEach = Math.max(1, most - 1);
  const turns = turnsFor(turnsOf, db, most, mostEach);
  return inTurn(turns, organization, signal, () => boundedRead(db, timeoutMs, work));
}

/**
 * A shared read for what only accompanies a list: an organization has one of them at a time, so that its lists find a turn.
 *
 * @throws as `sharedRead`.
 */
export function spareRead<T>(
  db: Database,
  organization: string,
  timeoutMs: number,
  work: (reader: Reader) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const turns = turnsFor(spareTurnsOf, db, Math.max(1, db.options.max - 2), 1);
  return inTurn(turns, organization, signal, () => sharedRead(db, organization, timeoutMs, work, signal));
}

function turnsFor(
  all: WeakMap<Database, FairTurns>,
  db: Database,
  most: number,
  mostEach: number,
): FairTurns {
  const known = all.get(db);
  if (known) return known;
  const turns = new FairTurns((_organization, own, running) => running < most && own < mostEach);
  all.set(db, turns);
  return turns;
}

async function inTurn<T>(
  turns: FairTurns,
  organization: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const end = AbortSignal.any([AbortSignal.timeout(longestWaitMs), ...(signal ? [signal] : [])]);
  const result = await turns.run(organization, end, async () => ({ read: await work() }));
  if (result !== 'aborted') return result.read;
  signal?.throwIfAborted();
  throw new Error(
    'timeout exceeded when trying to connect: too many searches of this organization are under way',
  );
}
