/**
 * Reads a window into batches, page after page, within the memory that all streams share.
 *
 *   row → window → PAGE → BATCH → bytes → answer → outcome → settle → status
 *
 * The memory of the batches is held until the caller gives it back (`releaseBatches`).
 */
import { type OnEntry, type PageCall, type PageResult, readPage } from '../database/readWindow.ts';
import type { Position, Window } from '../model/stream.ts';
import { type Batch, BatchCutter, type BatchLimits } from './batch.ts';
import type { BufferPool } from './bufferPool.ts';
import type { ReadPlan } from './readPace.ts';
import { judgeNext } from './setAside.ts';
import type { Stream } from './stream.ts';

export class WindowReader {
  readonly #stream: Stream;
  readonly #window: Window;
  readonly #limits: BatchLimits;
  readonly #maxRecords: number;
  #after: Position | null;
  #nextSequence: number;
  #isExhausted = false;

  /** Reads on from the stream's position; no page looks for more than `maxRecords`. */
  constructor(stream: Stream, window: Window, limits: BatchLimits, maxRecords: number) {
    this.#stream = stream;
    this.#window = window;
    this.#limits = limits;
    this.#maxRecords = maxRecords;
    this.#after = stream.position.row.position;
    this.#nextSequence = stream.position.row.sequence + 1;
  }

  /** Nothing comes after what was read. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /**
   * The batches of the next page; it may have none. Empty when `interrupt` came first; 'stale': the lease is lost.
   *
   * @throws the database's error.
   */
  async read(interrupt: AbortSignal): Promise<readonly Batch[] | 'stale'> {
    const { shared, id, organization, endpoint, readPace } = this.#stream;
    const { budget, db, reads, trickles } = shared;
    // A stream that holds nothing begins small, however much there is.
    const mostBytes = budget.heldBy(id) === 0 ? budget.firstPageBytes : Number.POSITIVE_INFINITY;
    const wanted = readPace.plan(
      Math.min(endpoint.pace.pageBytes, mostBytes),
      this.#maxRecords,
      this.#after === null,
    );
    const memoryBytes = await budget.acquire(
      id,
      Math.min(wanted.memoryBytes, budget.mostBytes),
      interrupt,
      wanted.isLargeRow ? 'whole' : 'page',
    );
    if (memoryBytes === 0) return [];
    const plan = wanted.isLargeRow
      ? wanted
      : { ...wanted, pageBytes: Math.min(wanted.pageBytes, memoryBytes) };
    let heldBytes = 0;
    try {
      const batches = plan.isTrickle
        ? await this.#readPlanned(plan, (page) => trickles.read(db, page, interrupt))
        : await reads.run(organization, interrupt, () =>
            this.#readPlanned(plan, ({ stream, onEntry }) =>
              readPage(db, stream, this.#after, plan, onEntry),
            ),
          );
      if (batches === 'aborted') return [];
      if (batches !== 'stale') heldBytes = sumBytes(batches);
      return batches;
    } finally {
      budget.release(id, memoryBytes - heldBytes);
    }
  }

  async #readPlanned(
    plan: ReadPlan,
    readIt: (call: PageCall) => Promise<PageResult | 'aborted'>,
  ): Promise<readonly Batch[] | 'stale' | 'aborted'> {
    const { shared, position, readPace, health } = this.#stream;
    const stream = { ...position.row, window: this.#window };
    const cutter = makeCutter(
      this.#stream,
      this.#window,
      this.#limits,
      this.#nextSequence,
      plan.isTrickle ? null : shared.buffers,
    );
    let textBytes = 0;
    const onEntry: OnEntry = (entry, matches, bytes) => {
      // A hundred streams may read a trickle at the same time: a large row is read in its own turn.
      if (textBytes >= plan.pageBytes || (plan.isTrickle && bytes > plan.pageBytes)) return 'stop';
      textBytes += bytes;
      if (matches) cutter.addRecord(entry);
      else cutter.addSkipped(entry);
      return 'taken';
    };
    const page = await readIt({ stream, onEntry }).catch((error: unknown) => {
      readPace.failed();
      throw error;
    });
    if (page === 'aborted') return page;
    if (page.end.kind === 'stale') return 'stale';
    if (page.end.kind !== 'broken') health.clearDatabaseFailure();
    this.#isExhausted = page.end.kind === 'exhausted';
    const cause = readPace.ended(plan, page, textBytes);
    if (cause !== null) {
      const judged = await judgeNext(shared.db, stream, this.#after, cause, readPace);
      if (judged.kind === 'stale') return 'stale';
      if (judged.kind === 'skip') cutter.addSkipped(judged.head);
      if (judged.kind === 'park') cutter.addParked(judged.head, judged.why);
    }
    this.#after = cutter.batches.at(-1)?.last ?? this.#after;
    this.#nextSequence = cutter.nextSequence;
    return cutter.batches;
  }
}

/** Cuts entries of the stream's window into batches, from `nextSequence` on; `buffers`: see CutterOptions. */
export function makeCutter(
  { identity, position }: Stream,
  { pinnedAtMicros }: Window,
  limits: BatchLimits,
  nextSequence: number,
  buffers: BufferPool | null = null,
): BatchCutter {
  return new BatchCutter({
    identity,
    limits,
    buffers,
    observedAtMicros: pinnedAtMicros,
    nextSequence,
    isAccepted: (sequence, at) => position.isAccepted(sequence, at),
  });
}

/** Gives back the memory that batches of a `WindowReader` hold. */
export function releaseBatches({ shared, id }: Stream, batches: readonly Batch[]): void {
  shared.budget.release(id, sumBytes(batches));
}

function sumBytes(batches: readonly Batch[]): number {
  return batches.reduce((sum, batch) => sum + batch.bytes, 0);
}
