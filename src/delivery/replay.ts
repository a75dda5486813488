/** Sends parked entries again, when somebody asked for it; each keeps its sequence number, so the receiver's gap closes. */
import { type EntryRead, readEntryById } from '../database/page.ts';
import { listReplays, parkAgain, type ReplayEntry, unpark } from '../database/parked.ts';
import { rowFaultOf } from '../database/unreadable.ts';
import { adviceFor, type FailureReason } from '../model/reasons.ts';
import { RequestWriter } from '../otlp/encode/request.ts';
import type { ActiveStream, DeliveryContext } from './context.ts';
import { maxRowBytes, readPaceOf, rowMemoryBytes } from './readPace.ts';
import { describeTooLarge, describeUnreadable, isLastingFault } from './setAside.ts';
import type { Failed } from './windowRun.ts';

export type ReplayResult =
  | {
      readonly kind: 'done';
      readonly replayed: number;
      readonly parkedAgain: number;
      /** The latest entry that could not be sent at all. */
      readonly lost: Lost | null;
    }
  | { readonly kind: 'failed'; readonly outcome: Failed }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'lease-lost' };

/** So many are asked for at a time; they are read and sent one by one, since each was refused before. */
const replaysAtOnce = 20;
/** An entry up to this is read without asking for memory. */
const plainRowBytes = 1024 * 1024;

/** @throws when the database fails. */
export async function replayParked(
  context: DeliveryContext,
  stream: ActiveStream,
  interrupt: AbortSignal,
  abort: AbortSignal,
): Promise<ReplayResult> {
  const { db, budget, log } = context;
  const { row } = stream;
  let replayed = 0;
  let parkedAgain = 0;
  let lost: Lost | null = null;
  for (;;) {
    const entries = await listReplays(db, row, replaysAtOnce);
    if (entries.length === 0) return { kind: 'done', replayed, parkedAgain, lost };
    for (const entry of entries) {
      if (interrupt.aborted) return { kind: 'done', replayed, parkedAgain, lost };
      let heldBytes = 0;
      try {
        let read = await readRequest(context, stream, entry, plainRowBytes, interrupt);
        if (read.kind === 'oversize' && read.bytes <= maxRowBytes) {
          const bytes = Math.min(rowMemoryBytes(read.bytes), budget.mostBytes);
          heldBytes = await budget.acquire(row.id, bytes, interrupt, 'whole');
          if (heldBytes === 0) return { kind: 'done', replayed, parkedAgain, lost };
          read = await readRequest(context, stream, entry, maxRowBytes, interrupt);
        }
        if (read.kind === 'aborted') return { kind: 'done', replayed, parkedAgain, lost };
        if (read.kind === 'stale') return { kind: 'lease-lost' };
        const outcome =
          read.kind === 'request'
            ? await context.send(stream.config.destination, read.request, 1, abort)
            : describeLost(stream, entry, read);
        if (outcome === 'aborted') return { kind: 'aborted' };
        switch (outcome.kind) {
          case 'settled':
            if (!(await unpark(db, row, [entry.sequence], outcome.rejected > 0 ? 1 : 0)))
              return { kind: 'lease-lost' };
            replayed++;
            break;
          case 'refused':
          case 'too-large':
          case 'lost': {
            const httpStatus = outcome.kind === 'lost' ? null : (outcome.httpStatus ?? null);
            if (!(await parkAgain(db, row, entry.sequence, { ...outcome, httpStatus })))
              return { kind: 'lease-lost' };
            if (outcome.kind === 'lost') {
              log.warn({ sequence: entry.sequence, reason: outcome.reason }, outcome.message);
              lost = outcome;
            }
            parkedAgain++;
            break;
          }
          case 'retry':
          case 'hold':
            return { kind: 'failed', outcome };
        }
      } finally {
        budget.release(row.id, heldBytes);
      }
    }
  }
}

type ReadRequest =
  | Exclude<EntryRead, { kind: 'read' }>
  | { readonly kind: 'aborted' }
  | { readonly kind: 'request'; readonly request: Uint8Array };

async function readRequest(
  { db, reads, options }: DeliveryContext,
  { row }: ActiveStream,
  replay: ReplayEntry,
  rowBytes: number,
  interrupt: AbortSignal,
): Promise<ReadRequest> {
  const { serviceName, version } = options;
  const writer = new RequestWriter(
    { serviceName, organization: row.organization, streamId: row.id, version },
    4_096,
  );
  const read = await reads.run(row.organization, interrupt, () =>
    readEntryById(db, row, replay.entryId, { rowBytes }, (entry) => writer.append(entry, replay)),
  );
  if (read === 'aborted') return { kind: 'aborted' };
  return read.kind === 'read' ? { kind: 'request', request: writer.request() } : read;
}

interface Lost {
  readonly kind: 'lost';
  readonly reason: FailureReason;
  readonly message: string;
}

/** Of an entry that cannot be sent, whatever the receiver would say. @throws an error that is not the entry's. */
function describeLost(
  stream: ActiveStream,
  { entryId }: ReplayEntry,
  read: Exclude<ReadRequest, { kind: 'request' | 'stale' | 'aborted' }>,
): Lost {
  switch (read.kind) {
    case 'missing':
      return {
        kind: 'lost',
        reason: 'EntryMissing',
        message: `Entry ${entryId} is no longer in audit.entries, so it cannot be sent. ${adviceFor('EntryMissing')}`,
      };
    case 'oversize':
      return { kind: 'lost', ...describeTooLarge(entryId, read.bytes) };
    case 'unreadable':
      if (!isLastingFault(rowFaultOf(read.error), readPaceOf(stream).strike(`replay of ${entryId}`)))
        throw read.error;
      return { kind: 'lost', ...describeUnreadable(entryId, read.error) };
  }
}
