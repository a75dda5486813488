/**
 * Delivers what a pinned window holds, and decides after each run what comes next.
 *
 *   run ──finished──► next window
 *    │failed
 *    ├─ retry, hold   wait, then one small batch
 *    ├─ too-large     again with half the bytes, and keep to what passed
 *    └─ refused       halve down to the record, prove, park
 */
import type { Failed } from '../model/outcome.ts';
import type { Window } from '../model/stream.ts';
import type { Batch } from './batch.ts';
import { handleRefused } from './handleRefused.ts';
import { sendOne } from './sendOne.ts';
import type { Signals, Step, Stream } from './stream.ts';
import { WindowRun } from './windowRun.ts';

/** @throws when the database fails. */
export async function deliverWindow(stream: Stream, window: Window, signals: Signals): Promise<Step> {
  stream.health.beginDelivering();
  const result = stream.endpoint.isProbed
    ? await sendOne(stream, window, signals)
    : await new WindowRun(stream, window, signals).run();
  return result.kind === 'failed'
    ? onFailure(stream, window, result.batch, result.outcome, signals.abort)
    : result;
}

async function onFailure(
  stream: Stream,
  window: Window,
  batch: Batch,
  outcome: Failed,
  abort: AbortSignal,
): Promise<Step> {
  const { health, endpoint } = stream;
  switch (outcome.kind) {
    case 'retry':
    case 'hold':
      return { kind: 'wait', outcome };
    case 'too-large':
    case 'refused':
      health.lookInto(outcome);
      if (outcome.kind === 'too-large' && batch.records > 1) {
        endpoint.pace.tooLarge(batch.bytes);
        return { kind: 'again' };
      }
      endpoint.isolation.refused(batch.records);
      return batch.records === 1 ? handleRefused(stream, window, batch, outcome, abort) : { kind: 'again' };
  }
}
