/**
 * Handles a single record that the receiver refuses: parks it if the endpoint is proven to accept others and refuses this one
 * wherever it is asked; otherwise it is the configuration, and everything is held.
 */
import type { Failed } from '../model/outcome.ts';
import type { Window } from '../model/stream.ts';
import type { Batch } from './batch.ts';
import { ask, findProof } from './proof.ts';
import type { Step, Stream } from './stream.ts';

/**
 * An entry is parked after so many more refusals, each over a new connection: of several servers behind one name, a single one may
 * refuse what the others take.
 */
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
  if (!isolation.isProven) {
    const result = await findProof(stream, window, batch, abort);
    if (result === 'refused') return { kind: 'wait', outcome: blameConfiguration(refusal) };
    if (result !== 'accepted') return result;
    // The record goes once more: it may have been refused by an endpoint that was just being fixed.
    isolation.neighbourAccepted();
    return { kind: 'again' };
  }
  for (let asked = 0; asked < refusalsElsewhere; asked++) {
    const request = batch.writer?.request() ?? null;
    const result = await ask(stream, request, abort, { freshConnection: true });
    if (result === 'accepted') {
      stream.position.acceptAhead(batch);
      isolation.reset();
      return { kind: 'again' };
    }
    if (result !== 'refused') return result;
  }
  return park(stream, window, batch, refusal);
}

function blameConfiguration(refusal: Failed): Failed {
  return {
    ...refusal,
    kind: 'hold',
    message: `${refusal.message} It refuses every entry it is given, so this looks like the configuration of this export or of the receiver, and nothing is set aside.`,
  };
}

async function park(stream: Stream, window: Window, batch: Batch, refusal: Failed): Promise<Step> {
  const isParked = await stream.position.settle(window, batch, { delivered: 0, rejected: 0 }, refusal);
  if (!isParked) return { kind: 'lease-lost' };
  // Whatever comes next is innocent until refused.
  stream.endpoint.isolation.reset();
  stream.health.addParked(1);
  stream.log.warn(
    { sequence: batch.lastSequence, entryId: batch.first.id.toString(), reason: refusal.reason },
    'the receiver refuses one entry and accepts others: parked',
  );
  return { kind: 'again' };
}
