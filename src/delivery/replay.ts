/** Sends parked entries again when somebody asked for it; each keeps its sequence number, so the receiver's gap closes. */
import { listReplays, type ReplayEntry } from '../database/parked.ts';
import { type EntryRead, readEntryById } from '../database/readEntryById.ts';
import { rowFaultOf } from '../database/unreadable.ts';
import type { FailureReason } from '../model/reasons.ts';
import { RequestWriter } from '../otlp/encode/request.ts';
import { maxRowBytes, plainRowBytes, rowMemoryBytes } from './readPace.ts';
import { describeTooLarge, describeUnreadable, isLastingFault } from './setAside.ts';
import type { Signals, Step, Stream } from './stream.ts';

/** So many are listed at a time; they are read and sent one by one, since each was refused before. */
const replaysAtOnce = 20;

type Replayed = 'delivered' | 'parked-again' | Step;

/** Sends every entry whose replay is asked for, until one says wait or lease-lost. @throws when the database fails. */
export async function replayParked(stream: Stream, signals: Signals): Promise<Step> {
  const { shared, position, health, log } = stream;
  const counts = { delivered: 0, 'parked-again': 0 };
  let step: Step | null = null;
  while (step === null) {
    const entries = await listReplays(shared.db, position.row, replaysAtOnce);
    if (entries.length === 0) step = { kind: 'again' };
    for (const entry of entries) {
      const replayed: Replayed = await replayOne(stream, entry, signals);
      if (typeof replayed === 'string') counts[replayed]++;
      else step = replayed;
      if (step !== null) break;
    }
  }
  if (step.kind === 'again' && counts.delivered + counts['parked-again'] > 0) {
    log.info({ replayed: counts.delivered, parkedAgain: counts['parked-again'] }, 'parked entries replayed');
    // The receiver has answered for each: what kept it from that is over.
    health.clearFailure();
  }
  return step;
}

async function replayOne(stream: Stream, entry: ReplayEntry, signals: Signals): Promise<Replayed> {
  const { id, shared } = stream;
  const { interrupt, abort } = signals;
  if (interrupt.aborted) return { kind: 'again' };
  let heldBytes = 0;
  try {
    let read = await readRequest(stream, entry, plainRowBytes, interrupt);
    if (read.kind === 'oversize' && read.bytes <= maxRowBytes) {
      const bytes = Math.min(rowMemoryBytes(read.bytes), shared.budget.mostBytes);
      heldBytes = await shared.budget.acquire(id, bytes, interrupt, 'whole');
      if (heldBytes === 0) return { kind: 'again' };
      read = await readRequest(stream, entry, maxRowBytes, interrupt);
    }
    switch (read.kind) {
      case 'request':
        return await sendAgain(stream, entry, read.request, abort);
      case 'aborted':
        return { kind: 'again' };
      case 'stale':
        return { kind: 'lease-lost' };
      case 'missing':
      case 'oversize':
      case 'unreadable': {
        const lost = describeLost(stream, entry, read);
        if (!(await stream.position.parkAgain(entry.sequence, lost))) return { kind: 'lease-lost' };
        stream.log.warn({ sequence: entry.sequence, reason: lost.reason }, lost.message);
        stream.health.noteSetAside(lost);
        return 'parked-again';
      }
    }
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
  const outcome = await stream.send(request, 1, abort);
  if (outcome === 'aborted') return { kind: 'again' };
  switch (outcome.kind) {
    case 'settled':
      if (!(await position.unpark(sequence, outcome.rejected > 0 ? 1 : 0))) return { kind: 'lease-lost' };
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

type RequestRead =
  | Exclude<EntryRead, { kind: 'read' }>
  | { readonly kind: 'aborted' }
  | { readonly kind: 'request'; readonly request: Uint8Array };

async function readRequest(
  { shared, identity, organization, position }: Stream,
  replay: ReplayEntry,
  rowBytes: number,
  interrupt: AbortSignal,
): Promise<RequestRead> {
  const writer = new RequestWriter(identity, 4_096);
  const read = await shared.reads.run(organization, interrupt, () =>
    readEntryById(shared.db, position.row, replay.entryId, { rowBytes }, (entry) =>
      writer.append(entry, replay),
    ),
  );
  if (read === 'aborted') return { kind: 'aborted' };
  return read.kind === 'read' ? { kind: 'request', request: writer.request() } : read;
}

/** Why an entry cannot be sent, whatever the receiver would say. @throws an error that is not the entry's fault. */
function describeLost(
  { readPace }: Stream,
  { entryId }: ReplayEntry,
  read: Extract<RequestRead, { kind: 'missing' | 'oversize' | 'unreadable' }>,
): { reason: FailureReason; message: string } {
  switch (read.kind) {
    case 'missing':
      return {
        reason: 'EntryMissing',
        message: `Entry ${entryId} is no longer in audit.entries, so it cannot be sent.`,
      };
    case 'oversize':
      return describeTooLarge(entryId, read.bytes);
    case 'unreadable':
      if (!isLastingFault(rowFaultOf(read.error), readPace.strike(`replay of ${entryId}`))) throw read.error;
      return describeUnreadable(entryId, read.error);
  }
}
