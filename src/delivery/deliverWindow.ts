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
import { nothingToSend, settleSent } from './settleSent.ts';
import type { Signals, Step, Stream } from './stream.ts';
import { releaseBatches, WindowReader } from './windowReader.ts';
import { type RunResult, WindowRun } from './windowRun.ts';

/** `most`: all of the window, or as little as can be settled. @throws when the database fails. */
export async function deliverWindow(
  stream: Stream,
  window: Window,
  signals: Signals,
  most: 'window' | 'batch' = 'window',
): Promise<Step> {
  const { health, endpoint } = stream;
  health.beginDelivering();
  const result =
    endpoint.isProbed || most === 'batch'
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

/** Sends the batch at the position, waits for its answer and settles it: to probe an endpoint, and to find a refused record. */
async function sendOne(stream: Stream, window: Window, signals: Signals): Promise<RunResult> {
  const { shared, position, endpoint, config } = stream;
  const limits = endpoint.batchLimits(config.spec.maxBatchSize);
  const reader = new WindowReader(stream, window, limits, limits.records);
  const batches = await reader.read(signals.interrupt);
  if (batches === 'stale') return { kind: 'lease-lost' };
  const [batch, ...following] = batches;
  if (!batch) return { kind: reader.isExhausted ? 'finished' : 'again' };
  let unsettled = batches;
  try {
    if (signals.interrupt.aborted || !shared.isLeaseValid()) return { kind: 'again' };
    const outcome = batch.writer
      ? await stream.send(batch.writer.request(), batch.records, signals.abort, {
          numbers: [batch.firstSequence, batch.lastSequence],
        })
      : nothingToSend;
    if (outcome === 'aborted') return { kind: 'again' };
    if (outcome.kind !== 'settled') return { kind: 'failed', batch, outcome };
    // The receiver has it, even if settling it fails.
    if (batch.writer) position.acceptAhead(batch);
    const isLast = reader.isExhausted && following.length === 0;
    if (!(await settleSent(stream, window, [{ batch, outcome }], isLast))) return { kind: 'lease-lost' };
    unsettled = following;
    return { kind: isLast ? 'finished' : 'again' };
  } finally {
    releaseBatches(stream, unsettled);
  }
}
