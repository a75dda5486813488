/** Sends parked entries again when somebody asked for it; each keeps its sequence number, so the receiver's gap closes. */
import { listReplays, type ReplayEntry } from '../database/parked.ts';
import { type EntryRead, readEntryById } from '../database/readEntryById.ts';
import { rowFaultOf } from '../database/unreadable.ts';
import { adviceFor, type FailureReason } from '../model/reasons.ts';
import { RequestWriter } from '../otlp/encode/request.ts';
import { maxRowBytes, plainRowBytes, rowMemoryBytes } from './readPace.ts';
import { describeTooLarge, describeUnreadable, isLastingFault } from './setAside.ts';
import type { Signals, Step, Stream } from './stream.ts';

/** So many are listed at a time; they are read and sent one by one, since each was refused before. */
const replaysAtOnce = 20;

type Replayed = 'delivered' | 'parked-again' | Step;

/** Sends every entry whose replay is asked for, until one says wait or lease-lost. @throws when the database fails. */
export async function replayParked(stream: Stream, signals: Signals): Promise<Step> {
  const counts = { delivered: 0, 'parked-again': 0 };
  const step = await replayAll(stream, signals, counts);
  if (step.kind === 'again' && counts.delivered + counts['parked-again'] > 0) {
    const { delivered: replayed, 'parked-again': parkedAgain } = counts;
    stream.log.info({ replayed, parkedAgain }, 'parked entries replayed');
    // The receiver has answered for each: what kept it from that is over.
    stream.health.clearFailure();
  }
  return step;
}

async function replayAll(
  stream: Stream,
  signals: Signals,
  counts: { delivered: number; 'parked-again': number },
): Promise<Step> {
  for (;;) {
    const entries = await listReplays(stream.shared.db, stream.position.row, replaysAtOnce);
    if (entries.length === 0) return { kind: 'again' };
    for (const entry of entries) {
      if (signals.interrupt.aborted) return { kind: 'again' };
      const replayed = await replayOne(stream, entry, signals);
      if (typeof replayed !== 'string') return replayed;
      counts[replayed]++;
      if (replayed === 'parked-again') stream.health.outage.parked();
    }
  }
}

async function replayOne(stream: Stream, entry: ReplayEntry, signals: Signals): Promise<Replayed> {
  const { id, organization, shared, position, health } = stream;
  const { interrupt, abort } = signals;
  const writer = new RequestWriter(stream.identity, 4_096);
  const read = (rowBytes: number): Promise<EntryRead | 'aborted'> =>
    shared.reads.run(organization, interrupt, () =>
      readEntryById(shared.db, position.row, entry.entryId, { rowBytes }, (row) => writer.append(row, entry)),
    );
  let heldBytes = 0;
  try {
    let found = await read(plainRowBytes);
    if (found !== 'aborted' && found.kind === 'oversize' && found.bytes <= maxRowBytes) {
      const bytes = Math.min(rowMemoryBytes(found.bytes), shared.budget.mostBytes);
      heldBytes = await shared.budget.acquire(id, bytes, interrupt, 'whole');
      found = heldBytes === 0 ? 'aborted' : await read(maxRowBytes);
    }
    if (found === 'aborted') return { kind: 'again' };
    if (found.kind === 'stale') return { kind: 'lease-lost' };
    if (found.kind === 'read') return await sendAgain(stream, entry, writer.request(), abort);
    const lost = describeLost(stream, entry, found);
    if (!(await position.parkAgain(entry.sequence, lost))) return { kind: 'lease-lost' };
    health.noteSetAside(entry.sequence, lost);
    return 'parked-again';
  } finally {
    shared.budget.release(id, heldBytes);
  }
}

async function sendAgain(
  stream: Stream,
  { sequence }: ReplayEntry,
  request: Uint8Array,
  abort: AbortSignal,
): Promise<Replayed> {
  const { position, health } = stream;
  const outcome = await stream.send(request, 1, abort, { numbers: [sequence, sequence] });
  if (outcome === 'aborted') return { kind: 'again' };
  switch (outcome.kind) {
    case 'settled':
      if (!(await position.unpark(sequence))) return { kind: 'lease-lost' };
      health.addDelivered(1, 0);
      health.addParked(-1);
      return 'delivered';
    case 'refused':
    case 'too-large':
      return (await position.parkAgain(sequence, outcome)) ? 'parked-again' : { kind: 'lease-lost' };
    case 'retry':
    case 'hold':
      return { kind: 'wait', outcome };
  }
}

/** Why an entry cannot be sent, whatever the receiver would say. @throws an error that is not the entry's fault. */
function describeLost(
  { readPace }: Stream,
  { entryId }: ReplayEntry,
  read: Exclude<EntryRead, { kind: 'read' | 'stale' }>,
): { reason: FailureReason; message: string } {
  switch (read.kind) {
    case 'missing':
      return {
        reason: 'EntryMissing',
        message: `Entry ${entryId} is no longer in audit.entries, so it cannot be sent. ${adviceFor('EntryMissing')}`,
      };
    case 'oversize':
      return describeTooLarge(entryId, read.bytes);
    case 'unreadable':
      if (!isLastingFault(rowFaultOf(read.error), readPace.strike(`replay of ${entryId}`))) throw read.error;
      return describeUnreadable(entryId, read.error);
  }
}
