/** Counts what is still to be delivered, seldom, and reports a long catch-up. */
import { countBacklog } from '../database/backlog.ts';
import type { DeliveryContext } from './context.ts';
import type { StreamLoop } from './streamLoop.ts';

/** A backlog of so many entries is worth a line in the log. */
const reportFrom = 5_000;

/**
 * One count after the other, so that at most one connection counts; streams that are idle are known to have nothing. Returns the
 * keys of those that were counted.
 */
export async function measureBacklogs(
  context: DeliveryContext,
  loops: Iterable<StreamLoop>,
  isStopping: () => boolean,
): Promise<string[]> {
  const counted: string[] = [];
  for (const loop of [...loops]) {
    if (isStopping()) break;
    const { activity, pending } = loop.health;
    if (activity === 'idle' && pending === 0 && loop.isCounted) continue;
    loop.setBacklog(await countBacklog(context.db, loop.row));
    counted.push(loop.config.key);
    report(loop);
  }
  return counted;
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
