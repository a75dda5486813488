/**
 * Delivers what a pinned window holds, and decides after each run what comes next.
 *
 *   run ──finished──► next window
 *    │failed
 *    ├─ retry, hold   wait, then one small batch
 *    ├─ too-large     again with half the bytes, and keep to what passed
 *    └─ refused       halve down to the record, prove, park
 */
import type { Window } from '../model/stream.ts';
import { handleRefused } from './handleRefused.ts';
import { sendOne } from './sendOne.ts';
import type { Signals, Step, Stream } from './stream.ts';
import { WindowRun } from './windowRun.ts';

/** @throws when the database fails. */
export async function deliverWindow(stream: Stream, window: Window, signals: Signals): Promise<Step> {
  const { health, endpoint } = stream;
  health.beginDelivering();
  const result = endpoint.isProbed
    ? await sendOne(stream, window, signals)
    : await new WindowRun(stream, window, signals).run();
  if (result.kind !== 'failed') return result;
  const { batch, outcome } = result;
  switch (outcome.kind) {
    case 'retry':
    case 'hold':
      return { kind: 'wait', outcome };
    case 'too-large':
    case 'refused':
      health.lookInto(outcome);
      if (outcome.kind === 'refused' || batch.records === 1) endpoint.isolation.refused(batch.records);
      else endpoint.pace.tooLarge(batch.bytes);
      return batch.records === 1
        ? handleRefused(stream, window, batch, outcome, signals.abort)
        : { kind: 'again' };
  }
}
