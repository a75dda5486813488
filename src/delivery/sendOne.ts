/** Sends the batch at the position, waits for its answer and settles it: to probe an endpoint, and to find a refused record. */
import type { Window } from '../model/stream.ts';
import { nothingToSend, settleSent } from './settleSent.ts';
import type { Signals, Stream } from './stream.ts';
import { releaseBatches, WindowReader } from './windowReader.ts';
import type { RunResult } from './windowRun.ts';

/** @throws when the database fails: wait, read the row again, and go on from there. */
export async function sendOne(stream: Stream, window: Window, signals: Signals): Promise<RunResult> {
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
      ? await stream.send(batch.writer.request(), batch.records, signals.abort)
      : nothingToSend;
    if (outcome === 'aborted') return { kind: 'again' };
    if (outcome.kind !== 'settled') return { kind: 'failed', batch, outcome };
    // The receiver has it, even if settling it fails.
    if (batch.writer) position.acceptAhead(batch);
    if (!(await settleSent(stream, window, [{ batch, outcome }]))) return { kind: 'lease-lost' };
    unsettled = following;
    return { kind: reader.isExhausted && following.length === 0 ? 'finished' : 'again' };
  } finally {
    releaseBatches(stream, unsettled);
  }
}
