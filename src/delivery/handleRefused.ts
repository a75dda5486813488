/**
 * Handles a single record that the receiver refuses: parks it if the endpoint is proven to accept others and refuses this one
 * wherever it is asked; otherwise it is the configuration, and everything is held.
 */
import type { Failed } from '../model/outcome.ts';
import type { Window } from '../model/stream.ts';
import type { Batch } from './batch.ts';
import { findProof } from './proof.ts';
import type { Step, Stream } from './stream.ts';

/** An entry is parked after so many more refusals, each over a connection of its own. */
const refusalsElsewhere = 2;

/** @throws when the database fails. */
export async function handleRefused(
  stream: Stream,
  window: Window,
  batch: Batch,
  refusal: Failed,
  abort: AbortSignal,
): Promise<Step> {
  const { isolation } = stream.endpoint;
  if (isolation.isProven)
    return (await askElsewhere(stream, batch, abort)) ?? (await park(stream, window, batch, refusal));
  const proof = await findProof(stream, window, batch, abort);
  switch (proof.kind) {
    case 'accepted':
      // The record goes once more: it may have been refused by an endpoint that was just being fixed.
      isolation.neighbourAccepted();
      return { kind: 'again' };
    case 'failed':
      return { kind: 'wait', outcome: proof.outcome };
    case 'aborted':
      return { kind: 'again' };
    case 'none':
      return {
        kind: 'wait',
        outcome: {
          ...refusal,
          kind: 'hold',
          message: `${refusal.message} It refuses every entry it is given, so this looks like the configuration of this export or of the receiver, and nothing is set aside.`,
        },
      };
  }
}

/** Over new connections: of several servers behind one name, a single one may refuse what the others take. Null: all refuse. */
async function askElsewhere(stream: Stream, batch: Batch, abort: AbortSignal): Promise<Step | null> {
  for (let asked = 0; asked < refusalsElsewhere && batch.writer; asked++) {
    const outcome = await stream.send(batch.writer.request(), 1, abort, { freshConnection: true });
    if (outcome === 'aborted') return { kind: 'again' };
    if (outcome.kind === 'retry' || outcome.kind === 'hold') return { kind: 'wait', outcome };
    if (outcome.kind === 'settled' && outcome.rejected === 0) {
      stream.position.acceptAhead(batch);
      stream.endpoint.isolation.parked();
      return { kind: 'again' };
    }
  }
  return null;
}

async function park(stream: Stream, window: Window, batch: Batch, refusal: Failed): Promise<Step> {
  const isParked = await stream.position.settle(window, batch, { delivered: 0, rejected: 0 }, refusal);
  if (!isParked) return { kind: 'lease-lost' };
  stream.endpoint.isolation.parked();
  stream.health.addParked(1);
  stream.log.warn(
    { sequence: batch.lastSequence, entryId: batch.first.id.toString(), reason: refusal.reason },
    'the receiver refuses one entry and accepts others: parked',
  );
  return { kind: 'again' };
}
