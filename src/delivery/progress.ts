/** Counts what is still to be delivered, seldom, and reports a long catch-up. */
import { type Backlog, countBacklog } from '../database/backlog.ts';
import type { DeliveryContext } from './context.ts';
import type { StreamLoop } from './streamLoop.ts';

/** A backlog of so many entries is worth a line in the log. */
const reportFrom = 5_000;

/**
 * One count after the other, so that at most one connection counts; streams that are idle are known to have nothing. Returns the
 * keys of those that were looked at; one that could not be counted is unknown, and keeps no other from its turn.
 */
export async function measureBacklogs(
  context: DeliveryContext,
  loops: Iterable<StreamLoop>,
  stop: AbortSignal,
): Promise<string[]> {
  const counted: string[] = [];
  for (const loop of [...loops]) {
    if (stop.aborted) break;
    const { activity, pending } = loop.health;
    if (activity === 'idle' && pending === 0 && loop.isCounted) continue;
    loop.setBacklog(await tryToCount(context, loop));
    counted.push(loop.config.key);
    report(loop);
  }
  return counted;
}

/** Null: it is not known. That of one stream says nothing of the others'. */
async function tryToCount({ db }: DeliveryContext, loop: StreamLoop): Promise<Backlog | null> {
  try {
    return await countBacklog(db, loop.row);
  } catch (error) {
    loop.log.debug({ err: error }, 'the backlog of a stream could not be counted');
    return null;
  }
}

function report(loop: StreamLoop): void {
  const { activity, pending, ratePerSecond, delivered } = loop.health;
  if (activity !== 'delivering' || pending === null || pending < reportFrom) return;
  const rate = Math.round(ratePerSecond);
  loop.log.info(
    { pending, ratePerSecond: rate, delivered, secondsLeft: rate > 0 ? Math.round(pending / rate) : null },
    'catching up',
  );
}
