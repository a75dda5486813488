/**
 * Looks for proof that an endpoint which refuses one record accepts others: without it nothing is parked, since the
 * fault may be the configuration's.
 */
import { readPage } from '../database/readWindow.ts';
import type { Window } from '../model/stream.ts';
import type { Batch } from './batch.ts';
import type { AttemptOptions } from './send.ts';
import type { Step, Stream } from './stream.ts';
import { makeCutter } from './windowReader.ts';

/** What the endpoint says to a single record; a step when it could not be asked. */
export type ProofResult = 'accepted' | 'refused' | Step;

/** How many of the entries that follow are tried. */
const mostNeighbours = 8;

/**
 * Sends the entries that follow the refused `candidate`, one by one, until one is accepted (which is remembered, so that it is not
 * sent again). When none is, or none follows, the last record that the endpoint accepted is sent once more: a repeat, which
 * receivers drop by `log.record.uid`. 'refused': it accepts nothing that it is given.
 */
export async function findProof(
  stream: Stream,
  window: Window,
  candidate: Batch,
  abort: AbortSignal,
): Promise<ProofResult> {
  for (const batch of await readNeighbours(stream, window, candidate, abort)) {
    const result = await ask(stream, batch.writer?.request() ?? null, abort);
    if (result === 'accepted') stream.position.acceptAhead(batch);
    if (result !== 'refused') return result;
  }
  return ask(stream, stream.endpoint.lastAccepted, abort);
}

/** Sends `request`, a single record, without settling anything. */
export async function ask(
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
