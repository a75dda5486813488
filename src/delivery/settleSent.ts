/**
 * Settles an unbroken run of batches that the receiver has taken, and tells what that means.
 *
 *   row → window → page → batch → bytes → ANSWER → outcome → SETTLE → HEALTH → status
 */
import type { Outcome, Settled } from '../model/outcome.ts';
import type { Window } from '../model/stream.ts';
import type { Batch } from './batch.ts';
import type { Stream } from './stream.ts';
import { releaseBatches } from './windowReader.ts';

/** A batch that is on its way, or was. */
export interface Sent {
  readonly batch: Batch;
  /** null: not answered yet. */
  outcome: Outcome | 'aborted' | null;
}

/** What a batch without records comes to. */
export const nothingToSend: Settled = { kind: 'settled', rejected: 0, message: '' };

export function isSettled(outcome: Sent['outcome']): outcome is Settled {
  return outcome !== null && outcome !== 'aborted' && outcome.kind === 'settled';
}

/**
 * Moves the position over `sent`, all of them settled and not none, and frees their memory. One that is parked must be alone.
 * False: the lease is lost.
 *
 * @throws the database's error; it may have moved then.
 */
export async function settleSent(stream: Stream, window: Window, sent: readonly Sent[]): Promise<boolean> {
  const batches = sent.map(({ batch }) => batch);
  const last = batches.at(-1);
  if (!last) throw new Error('nothing to settle');
  const run = summarize(sent);
  if (!(await stream.position.settle(window, last, run, last.parked))) return false;
  tell(stream, last, run);
  releaseBatches(stream, batches);
  // Only of requests that were read to their end: after an early refusal the rest may still be on its way out.
  for (const { writer } of batches) if (writer) stream.shared.buffers.give(writer.release());
  return true;
}

interface SettledRun {
  /** Records that were sent in this run. */
  readonly records: number;
  /** Records that the receiver has now, those included that it took earlier, out of turn. */
  readonly delivered: number;
  readonly rejected: number;
  /** The receiver's words on a partial success, with the records it may concern. */
  readonly rejection: { readonly first: number; readonly last: number; readonly message: string } | null;
  /** The last record that was accepted, as a request of its own; null when nothing was sent, or it is very large. */
  readonly lastRecord: Uint8Array | null;
  /** Milliseconds since the Unix epoch: when the last record that was sent had occurred. */
  readonly lastOccurredAt: number;
}

function tell({ health, endpoint, metrics, log }: Stream, last: Batch, run: SettledRun): void {
  health.addDelivered(run.delivered, run.rejected);
  metrics.countDelivered(run.delivered + run.rejected, run.rejected);
  if (last.parked) {
    const { lastSequence: sequence, first, parked } = last;
    health.addParked(1);
    health.noteSetAside(parked);
    log.warn(
      { sequence, entryId: first.id.toString(), reason: parked.reason },
      'one entry cannot be read: parked',
    );
  }
  if (run.records === 0) return;
  metrics.observeDeliveryDelay(Date.now() - run.lastOccurredAt);
  endpoint.accepted(run.records, run.lastRecord);
  if (run.rejection) health.setFailure(describeRejection(run), 'delivering');
  else if (!endpoint.isolation.isActive) {
    health.clearFailure();
    health.setActivity('delivering');
  }
}

function describeRejection(run: SettledRun): { reason: 'PartialSuccess'; message: string } {
  const { first, last, message } = run.rejection ?? { first: 0, last: 0, message: '' };
  return {
    reason: 'PartialSuccess',
    message: `The receiver took the request but rejected ${run.rejected} of the entries with sequence numbers ${first} to ${last}, without saying which${message ? `: "${message}"` : ''}.`,
  };
}

/** Longest record that is kept as evidence for later; see proof.ts. */
const maxKeptRecordBytes = 64 * 1024;

function summarize(run: readonly Sent[]): SettledRun {
  let records = 0;
  let accepted = 0;
  let rejected = 0;
  let rejection: SettledRun['rejection'] = null;
  for (const { batch, outcome } of run) {
    if (!isSettled(outcome)) continue;
    const refused = Math.min(outcome.rejected, batch.records);
    records += batch.records;
    accepted += batch.accepted;
    rejected += refused;
    if (refused > 0)
      rejection = { first: batch.firstSequence, last: batch.lastSequence, message: outcome.message };
  }
  const lastSent = run.findLast(({ batch }) => batch.writer !== null)?.batch;
  const writer = lastSent?.writer;
  const fits =
    writer && writer.byteLengthOf(writer.recordCount - 1, writer.recordCount) <= maxKeptRecordBytes;
  return {
    records,
    delivered: records + accepted - rejected,
    rejected,
    rejection,
    lastOccurredAt: (lastSent?.lastOccurredAtMicros ?? 0) / 1_000,
    lastRecord: fits ? writer.request(writer.recordCount - 1, writer.recordCount).slice() : null,
  };
}
