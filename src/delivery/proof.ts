/**
 * Looks for proof that an endpoint which refuses one record accepts others: without it nothing is parked, since the
 * fault may be the configuration's.
 */
import { readPage } from '../database/readWindow.ts';
import type { Position, Window } from '../model/stream.ts';
import type { AcceptedAhead } from './acceptedAhead.ts';
import { type Batch, BatchCutter } from './batch.ts';
import type { ActiveStream, DeliveryContext } from './context.ts';
import type { Failed } from './windowRun.ts';

export type Proof =
  | { readonly kind: 'accepted' }
  /** Nothing the endpoint was given was accepted. */
  | { readonly kind: 'none' }
  /** It could not be asked. */
  | { readonly kind: 'failed'; readonly outcome: Failed }
  | { readonly kind: 'aborted' };

/** How many of the entries that follow are tried. */
const neighbours = 8;

/**
 * Sends the entries that follow the refused `candidate`, one by one, until one is accepted (it is remembered in
 * `accepted`, and so not sent again). When none is, or none follows, the last record that the endpoint accepted is sent
 * once more: a repeat, which receivers drop by `log.record.uid`.
 */
export async function findProof(
  context: DeliveryContext,
  stream: ActiveStream,
  window: Window,
  accepted: AcceptedAhead,
  candidate: Batch,
  lastAccepted: Uint8Array | null,
  abort: AbortSignal,
): Promise<Proof> {
  for (const batch of await readFollowing(context, stream, window, accepted, candidate, abort)) {
    const proof = await ask(context, stream, batch.request, abort);
    if (proof.kind === 'accepted')
      accepted.add({ first: batch.sequence, last: batch.sequence, from: batch.at, to: batch.at });
    if (proof.kind !== 'none') return proof;
  }
  return lastAccepted ? ask(context, stream, lastAccepted, abort) : { kind: 'none' };
}

async function ask(
  context: DeliveryContext,
  stream: ActiveStream,
  request: Uint8Array,
  abort: AbortSignal,
): Promise<Proof> {
  const outcome = await context.send(stream.config.destination, request, 1, abort);
  if (outcome === 'aborted') return { kind: 'aborted' };
  switch (outcome.kind) {
    case 'settled':
      return { kind: outcome.rejected === 0 ? 'accepted' : 'none' };
    case 'refused':
    case 'too-large':
      return { kind: 'none' };
    case 'retry':
    case 'hold':
      return { kind: 'failed', outcome };
  }
}

async function readFollowing(
  context: DeliveryContext,
  stream: ActiveStream,
  window: Window,
  accepted: AcceptedAhead,
  candidate: Batch,
  abort: AbortSignal,
): Promise<Array<{ sequence: number; at: Position; request: Uint8Array }>> {
  const { row } = stream;
  const after: Position = candidate.last;
  const { serviceName, version } = context.options;
  const cutter = new BatchCutter({
    identity: { serviceName, organization: row.organization, streamId: row.id, version },
    limits: { records: 1, bytes: Number.POSITIVE_INFINITY },
    buffers: context.buffers,
    observedAtMicros: window.pinnedAtMicros,
    nextSequence: candidate.lastSequence + 1,
    isAccepted: (sequence, at) => accepted.has(sequence, at),
  });
  const limits = { rows: 4 * neighbours, rowBytes: context.options.maxBatchBytes };
  // Whatever ends it: those that came before are neighbours enough.
  await context.reads.run(row.organization, abort, () =>
    readPage(context.db, { ...row, window }, after, limits, (entry, matches) => {
      if (cutter.bytes > context.options.maxBatchBytes) return 'stop';
      if (matches) cutter.addRecord(entry);
      return 'taken';
    }),
  );
  return cutter.batches
    .filter((batch) => batch.writer !== null)
    .slice(0, neighbours)
    .map((batch) => ({
      sequence: batch.firstSequence,
      at: batch.first,
      request: batch.writer?.request() ?? new Uint8Array(0),
    }));
}
