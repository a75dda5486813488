/** Counts what is still to be delivered, seldom, and reports a long catch-up. */
import { type Backlog, countBacklog } from '../database/backlog.ts';
import type { Stream } from './stream.ts';

/** A backlog of so many entries is worth a line in the log. */
const reportFrom = 5_000;

/** After a database that did not answer for a minute, what waits is not left unknown for three more. */
const longestRestMs = 15_000;

/**
 * How long to rest after a pass over all streams: with thousands that have a backlog it takes seconds, which delivering them needs
 * more.
 */
export function restMs(tookMs: number): number {
  return Math.min(longestRestMs, 3 * tookMs);
}

/**
 * Counts one stream after the other, so that at most one connection counts, and calls `onCounted` with each, also one that could
 * not be counted, which keeps no other from its turn. Leaves out streams that are idle: they are known to have nothing.
 */
export async function measureBacklogs(
  streams: readonly Stream[],
  stop: AbortSignal,
  onCounted: (stream: Stream) => void,
): Promise<void> {
  for (const stream of streams) {
    if (stop.aborted) return;
    const { activity, pending } = stream.health.current;
    if (activity === 'idle' && pending === 0 && stream.health.isCounted) continue;
    stream.health.beginCount();
    stream.health.setBacklog(await tryToCount(stream));
    report(stream);
    onCounted(stream);
  }
}

/** Null: it is not known. */
async function tryToCount({ shared, position, log }: Stream): Promise<Backlog | null> {
  try {
    return await countBacklog(shared.db, position.row);
  } catch (error) {
    log.debug({ err: error }, 'the backlog of a stream could not be counted');
    return null;
  }
}

function report({ health, log }: Stream): void {
  const { activity, pending, ratePerSecond, delivered } = health.current;
  if (activity !== 'delivering' || pending === null || pending < reportFrom) return;
  const rate = Math.round(ratePerSecond);
  log.info(
    { pending, ratePerSecond: rate, delivered, secondsLeft: rate > 0 ? Math.round(pending / rate) : null },
    'catching up',
  );
}
