/**
 * Settles an unbroken run of batches that the receiver has taken, and reports it to health, endpoint and metrics.
 *
 *   row → window → page → batch → bytes → ANSWER → outcome → SETTLE → HEALTH → status
 */
import type { Outcome, Settled } from '../model/outcome.ts';
import type { LastRecord, Window } from '../model/stream.ts';
import type { RequestWriter } from '../otlp/encode/request.ts';
import type { Batch } from './batch.ts';
import { placeOf } from './lastRecord.ts';
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
 * `finishes`: nothing of the window comes after them. False: the lease is lost.
 *
 * @throws the database's error; it may have moved then.
 */
export async function settleSent(
  stream: Stream,
  window: Window,
  sent: readonly Sent[],
  finishes: boolean,
): Promise<boolean> {
  const batches = sent.map(({ batch }) => batch);
  const last = batches.at(-1);
  if (!last) throw new Error('nothing to settle');
  const run = { ...summarize(sent), lastRecord: findLastRecord(stream, window, sent) };
  if (!(await stream.position.settle(window, last, run, last.parked, finishes))) return false;
  report(stream, sent, run);
  releaseBatches(stream, batches);
  // Only of requests that were read to their end: after an early refusal the rest may still be on its way out.
  for (const { writer } of batches) if (writer) stream.shared.buffers.give(writer.release());
  return true;
}

/** null: there is none. If the receiver rejected some of a request, nobody knows whether it took the last. */
function findLastRecord({ config }: Stream, window: Window, sent: readonly Sent[]): LastRecord | null {
  const taken = sent.findLast(
    ({ batch, outcome }) => batch.records > 0 && isSettled(outcome) && outcome.rejected === 0,
  );
  if (!taken) return null;
  const { lastRecordId, lastSequence } = taken.batch;
  return {
    entryId: lastRecordId.toString(),
    sequence: lastSequence,
    observedAtMicros: window.pinnedAtMicros,
    place: placeOf(config.destination),
  };
}

function report(
  { health, endpoint, metrics }: Stream,
  sent: readonly Sent[],
  run: ReturnType<typeof summarize>,
): void {
  const last = sent.at(-1)?.batch;
  health.addDelivered(run.delivered, run.rejected);
  metrics.countDelivered(run.delivered + run.rejected, run.rejected);
  if (last?.parked) {
    health.addParked(1);
    health.noteSetAside(last.lastSequence, last.parked);
  }
  if (run.records === 0) return;
  const lastSent = sent.findLast(({ batch }) => batch.writer !== null)?.batch;
  metrics.observeDeliveryDelay(Date.now() - (lastSent?.lastOccurredAtMicros ?? 0) / 1_000);
  endpoint.accepted(run.records, lastSent?.writer ? copyLastRecord(lastSent.writer) : null);
  if (run.rejection) health.setFailure({ reason: 'PartialSuccess', message: run.rejection }, 'delivering');
  else if (!endpoint.isolation.isActive) {
    health.clearFailure();
    health.setActivity('delivering');
  }
}

/** Longest record that is kept as evidence for later; see handleRefused.ts. */
const maxKeptRecordBytes = 64 * 1024;

/** The last record as a request of its own; null: it is very large. */
function copyLastRecord(writer: RequestWriter): Uint8Array | null {
  const last = writer.recordCount - 1;
  if (writer.byteLengthOf(last, last + 1) > maxKeptRecordBytes) return null;
  return writer.request(last, last + 1).slice();
}

/**
 * `records`: sent in this run. `delivered`: the receiver has them now, those included that it took earlier, out of turn.
 * `rejection`: what a person is told about a partial success, the latest; null: there was none.
 */
function summarize(run: readonly Sent[]) {
  let records = 0;
  let accepted = 0;
  let rejected = 0;
  let latest = '';
  for (const { batch, outcome } of run) {
    if (!isSettled(outcome)) continue;
    const refused = Math.min(outcome.rejected, batch.records);
    records += batch.records;
    accepted += batch.accepted;
    rejected += refused;
    if (refused === 0) continue;
    const words = outcome.message ? `: "${outcome.message}"` : '';
    latest = `sequence numbers ${batch.firstSequence} to ${batch.lastSequence}, without saying which${words}`;
  }
  const rejection =
    rejected > 0
      ? `The receiver took the request but rejected ${rejected} of the entries with ${latest}.`
      : null;
  return { records, delivered: records + accepted - rejected, rejected, rejection };
}
