/**
 * Handles a single record that the receiver refuses: parks it if the endpoint is proven to accept others and refuses this one
 * wherever it is asked; otherwise it is the configuration, and everything is held.
 */
import { readPage } from '../database/readWindow.ts';
import type { Failed } from '../model/outcome.ts';
import type { Window } from '../model/stream.ts';
import type { Batch } from './batch.ts';
import { rebuildLastRecord } from './lastRecord.ts';
import type { AttemptOptions } from './send.ts';
import type { Step, Stream } from './stream.ts';
import { makeCutter } from './windowReader.ts';

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
    if (result === 'refused' || result === 'unasked')
      return { kind: 'wait', outcome: blameConfiguration(refusal, result) };
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

function blameConfiguration(refusal: Failed, proof: 'refused' | 'unasked'): Failed {
  const why = {
    refused:
      'It refuses every entry it is given, so this looks like the configuration of this export or of the receiver, and nothing is set aside.',
    unasked:
      'There was no other entry to send with it, so nothing shows whether the receiver accepts any, and nothing is set aside.',
  }[proof];
  return { ...refusal, kind: 'hold', message: `${refusal.message} ${why}` };
}

async function park(stream: Stream, window: Window, batch: Batch, refusal: Failed): Promise<Step> {
  const isParked = await stream.position.settle(
    window,
    batch,
    { delivered: 0, rejected: 0, lastRecord: null },
    refusal,
    false,
  );
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

/** What the endpoint says to a single record; a step when it could not be asked. */
type ProofResult = 'accepted' | 'refused' | Step;

/** How many of the entries that follow are tried. */
const mostNeighbours = 8;

/**
 * Looks for proof that the endpoint accepts other records: without it nothing is parked, since the fault may be the configuration's.
 * Sends the entries that follow the refused `candidate`, one by one, until one is accepted (which is remembered, so that it is not
 * sent again). When none is, or none follows, the last record that the endpoint accepted is sent once more: a repeat, which
 * receivers drop by `log.record.uid`. 'refused': it accepts nothing that it is given; 'unasked': there was nothing to give.
 */
async function findProof(
  stream: Stream,
  window: Window,
  candidate: Batch,
  abort: AbortSignal,
): Promise<ProofResult | 'unasked'> {
  const lastAccepted = stream.endpoint.lastAccepted ?? (await rebuildLastRecord(stream, abort));
  const neighbours = await readNeighbours(stream, window, candidate, abort);
  if (neighbours.length === 0 && lastAccepted === null) return 'unasked';
  for (const batch of neighbours) {
    const result = await ask(stream, batch.writer?.request() ?? null, abort);
    if (result === 'accepted') stream.position.acceptAhead(batch);
    if (result !== 'refused') return result;
  }
  return ask(stream, lastAccepted, abort);
}

/** Sends `request`, a single record, without settling anything. */
async function ask(
  stream: Stream,
  request: Uint8Array | null,
  abort: AbortSignal,
  options?: Pick<AttemptOptions, 'freshConnection'>,
): Promise<ProofResult> {
  if (request === null) return 'refused';
  const outcome = await stream.send(request, 1, abort, options);
  if (outcome === 'aborted') return { kind: 'again' };
  switch (outcome.kind) {
    case 'settled':
      return outcome.rejected === 0 ? 'accepted' : 'refused';
    case 'refused':
    case 'too-large':
      return 'refused';
    case 'retry':
    case 'hold':
      return { kind: 'wait', outcome };
  }
}

async function readNeighbours(
  stream: Stream,
  window: Window,
  candidate: Batch,
  abort: AbortSignal,
): Promise<Batch[]> {
  const { shared, position, organization } = stream;
  const { maxBatchBytes } = shared.options;
  const oneRecord = { records: 1, bytes: Number.POSITIVE_INFINITY };
  const cutter = makeCutter(stream, window, oneRecord, candidate.lastSequence + 1);
  const limits = { rows: 4 * mostNeighbours, rowBytes: maxBatchBytes };
  // Whatever ends it: those that came before are neighbours enough.
  await shared.reads.run(organization, abort, () =>
    readPage(shared.db, { ...position.row, window }, candidate.last, limits, (entry, matches) => {
      if (cutter.bytes > maxBatchBytes) return 'stop';
      if (matches) cutter.addRecord(entry);
      return 'taken';
    }),
  );
  return cutter.batches.filter((batch) => batch.writer !== null).slice(0, mostNeighbours);
}
