/**
 * Delivers a pinned window: reads pages ahead, keeps several requests in flight, settles the unbroken run.
 *
 *   row → window → PAGE → BATCH → BYTES → ANSWER → outcome → SETTLE → status
 *
 * One run is a small machine: in each turn it starts whatever may start (a read, a send, a settle) and waits for any of
 * them to end. It ends when nothing is under way and nothing may start.
 *
 * Promises:
 *  - The position moves only over batches settled without a gap, in order.
 *  - After the first failure nothing new is sent; what is in flight is waited for, and its success remembered.
 *  - No buffer outlives the run: a retry reads the entries again, exactly as a restarted process would.
 */
import { readPage } from '../database/readWindow.ts';
import { settle } from '../database/window.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Position, Window } from '../model/stream.ts';
import type { AcceptedAhead } from './acceptedAhead.ts';
import { type Batch, BatchCutter, type BatchLimits, type SetAside } from './batch.ts';
import type { ActiveStream, DeliveryContext } from './context.ts';
import { type ReadPace, type ReadPlan, readPaceOf } from './readPace.ts';
import { judgeNext } from './setAside.ts';

export type Failed = Exclude<Outcome, { kind: 'settled' }>;

export type RunResult =
  /** Every entry of the window is settled. */
  | { readonly kind: 'exhausted' }
  /** `single` run: one batch is settled. */
  | { readonly kind: 'progress' }
  /** The batch at the position did not get through. */
  | { readonly kind: 'failed'; readonly batch: Batch; readonly outcome: Failed }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'lease-lost' };

export interface RunOptions {
  readonly limits: BatchLimits;
  /** Asked each time, since an answer may change it. */
  readonly maxInFlight: () => number;
  /** Send one batch and end: for probing and for isolating a record. */
  readonly single: boolean;
  /** A page ends with the record that passes it. */
  readonly pageBytes: () => number;
  /** How long an answer took, whatever it was. */
  readonly onAnswer: (tookMs: number) => void;
  /** Ends the run as soon as what is in flight is answered. */
  readonly interrupt: AbortSignal;
  /** Aborts even that. */
  readonly abort: AbortSignal;
  /** A page was read, on the primary. */
  readonly onRead: () => void;
  readonly onSettled: (run: SettledRun) => void;
}

export interface SettledRun {
  /** Records that were sent in this run. */
  readonly records: number;
  /** Records that the receiver has now, those included that it took earlier, out of turn. */
  readonly delivered: number;
  readonly rejected: number;
  /** The receiver's words on a partial success, with the records it may concern. */
  readonly rejection: { readonly first: number; readonly last: number; readonly message: string } | null;
  /** The entry that was set aside, when the run is one that could not be sent. */
  readonly parked: { readonly sequence: number; readonly entryId: string; readonly why: SetAside } | null;
  /** The last record that was accepted, as a request of its own; null when nothing was sent, or it is very large. */
  readonly lastRecord: Uint8Array | null;
  /** Milliseconds since the Unix epoch: when the last record that was sent had occurred. */
  readonly lastOccurredAt: number;
  /** RFC 3339, as the stream's row has it now. */
  readonly lastDeliveryAt: string | null;
}

interface Flying {
  readonly batch: Batch;
  outcome: Outcome | 'aborted' | null;
}

export class WindowRun {
  readonly #context: DeliveryContext;
  readonly #stream: ActiveStream;
  readonly #window: Window;
  readonly #accepted: AcceptedAhead;
  readonly #options: RunOptions;

  readonly #tasks = new Set<Promise<void>>();
  #ready: Batch[] = [];
  #flying: Flying[] = [];
  #sending = 0;
  #isReading = false;
  #hasRead = false;
  #hasLaunched = false;
  #isSettling = false;
  #isExhausted = false;
  #isLeaseLost = false;
  #isHalted = false;
  #error: unknown = null;

  #readAfter: Position | null;
  #nextSequence: number;
  readonly #reading: ReadPace;

  constructor(
    context: DeliveryContext,
    stream: ActiveStream,
    window: Window,
    accepted: AcceptedAhead,
    options: RunOptions,
  ) {
    this.#context = context;
    this.#stream = stream;
    this.#window = window;
    this.#accepted = accepted;
    this.#options = options;
    this.#readAfter = stream.row.position;
    this.#nextSequence = stream.row.sequence + 1;
    this.#reading = readPaceOf(stream);
  }

  /** @throws when the database fails: wait, read the row again, start another run. */
  async run(): Promise<RunResult> {
    for (;;) {
      this.#startWhatMay();
      if (this.#tasks.size === 0) break;
      await Promise.race(this.#tasks);
    }
    return this.#conclude();
  }

  #startWhatMay(): void {
    if (this.#options.interrupt.aborted || !this.#context.isLeaseValid()) this.#isHalted = true;
    const { single } = this.#options;
    const maxInFlight = this.#options.maxInFlight();
    if (!this.#isHalted) {
      const mayRead = !this.#isReading && !this.#isExhausted && !(single && this.#hasRead);
      if (mayRead && this.#ready.length < maxInFlight) this.#start(this.#read());
      while (this.#sending < maxInFlight && !(single && this.#hasLaunched)) {
        const batch = this.#ready.shift();
        if (!batch) break;
        this.#launch(batch);
      }
    }
    if (!this.#isSettling && !this.#isLeaseLost && this.#error === null && this.#settledRun().length > 0) {
      this.#start(this.#settle());
    }
  }

  #start(work: Promise<void>): void {
    const task = work
      .catch((error: unknown) => {
        this.#error ??= error;
        this.#isHalted = true;
      })
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    this.#hasRead = true;
    try {
      const { budget } = this.#context;
      const { id } = this.#stream.row;
      // A stream that holds nothing begins small, however much there is.
      const mostBytes = budget.heldBy(id) === 0 ? budget.firstPageBytes : Number.POSITIVE_INFINITY;
      const wanted = this.#reading.plan(
        Math.min(this.#options.pageBytes(), mostBytes),
        this.#singleRecords(),
      );
      const memoryBytes = await budget.acquire(
        id,
        Math.min(wanted.memoryBytes, budget.mostBytes),
        this.#options.interrupt,
        wanted.isLargeRow ? 'whole' : 'page',
      );
      if (memoryBytes === 0) return;
      const plan = wanted.isLargeRow
        ? wanted
        : { ...wanted, pageBytes: Math.min(wanted.pageBytes, memoryBytes) };
      let heldBytes = 0;
      try {
        const { reads } = this.#context;
        const { organization } = this.#stream.row;
        const held = await reads.run(organization, this.#options.interrupt, () => this.#readPlanned(plan));
        heldBytes = held === 'aborted' ? 0 : held;
      } finally {
        budget.release(id, memoryBytes - heldBytes);
      }
    } finally {
      this.#isReading = false;
    }
  }

  /** How many records are looked for by a `single` run. */
  #singleRecords(): number {
    return this.#options.single ? this.#options.limits.records : Number.POSITIVE_INFINITY;
  }

  /** Reads one page into batches; returns the memory that they take. */
  async #readPlanned(plan: ReadPlan): Promise<number> {
    const { limits } = this.#options;
    const { buffers, options, db } = this.#context;
    const { row } = this.#stream;
    const stream = { ...row, window: this.#window };
    const cutter = new BatchCutter({
      identity: {
        serviceName: options.serviceName,
        organization: row.organization,
        streamId: row.id,
        version: options.version,
      },
      limits,
      buffers,
      observedAtMicros: this.#window.pinnedAtMicros,
      nextSequence: this.#nextSequence,
      isAccepted: (sequence, at) => this.#accepted.has(sequence, at),
    });
    let textBytes = 0;
    const page = await readPage(db, stream, this.#readAfter, plan, (entry, matches, bytes) => {
      if (textBytes >= plan.pageBytes) return 'stop';
      textBytes += bytes;
      if (matches) cutter.addRecord(entry);
      else cutter.addSkipped(entry);
      return 'taken';
    }).catch((error: unknown) => {
      this.#reading.failed();
      throw error;
    });
    switch (page.end.kind) {
      case 'stale':
        this.#isLeaseLost = true;
        this.#isHalted = true;
        return 0;
      case 'exhausted':
        this.#isExhausted = true;
        this.#options.onRead();
        break;
      case 'more':
      case 'oversize':
        this.#options.onRead();
        break;
      case 'broken':
        break;
    }
    const next = this.#reading.ended(plan, page, textBytes);
    if (next.kind === 'set-aside') {
      const end = await judgeNext(db, stream, this.#readAfter, next.cause, this.#reading);
      if (end.kind === 'stale') {
        this.#isLeaseLost = true;
        this.#isHalted = true;
      }
      if (end.kind === 'skip') cutter.addSkipped(end.head);
      if (end.kind === 'park') cutter.addParked(end.head, end.why);
    }
    this.#readAfter = cutter.batches.at(-1)?.last ?? this.#readAfter;
    this.#nextSequence = cutter.nextSequence;
    this.#ready.push(...cutter.batches);
    return cutter.bytes;
  }

  #launch(batch: Batch): void {
    const flying: Flying = { batch, outcome: null };
    this.#hasLaunched = true;
    this.#flying.push(flying);
    if (!batch.writer) {
      flying.outcome = { kind: 'settled', rejected: 0, message: '' };
      return;
    }
    this.#sending++;
    this.#start(this.#send(flying, batch.writer.request()));
  }

  async #send(flying: Flying, body: Uint8Array): Promise<void> {
    try {
      const { destination } = this.#stream.config;
      const startedAt = performance.now();
      flying.outcome = await this.#context.send(destination, body, flying.batch.records, this.#options.abort);
      this.#options.onAnswer(performance.now() - startedAt);
    } finally {
      this.#sending--;
    }
    if (flying.outcome === 'aborted' || flying.outcome.kind !== 'settled') this.#isHalted = true;
  }

  /** The batches from the position on that are settled without a gap; one that is set aside goes alone. */
  #settledRun(): Batch[] {
    const end = this.#flying.findIndex(
      (f) => f.outcome === null || f.outcome === 'aborted' || f.outcome.kind !== 'settled',
    );
    const settled = this.#flying.slice(0, end === -1 ? undefined : end).map((f) => f.batch);
    const parked = settled.findIndex((batch) => batch.parked !== null);
    return parked === -1 ? settled : settled.slice(0, Math.max(1, parked));
  }

  async #settle(): Promise<void> {
    this.#isSettling = true;
    try {
      const batches = this.#settledRun();
      const last = batches.at(-1);
      if (!last) return;
      const run = summarize(this.#flying.slice(0, batches.length));
      const { row } = this.#stream;
      const moved = await settle(this.#context.db, row, {
        window: this.#window,
        from: row.position,
        to: last.last,
        sequence: last.lastSequence,
        delivered: run.delivered,
        rejected: run.rejected,
        parked: last.parked && {
          sequence: last.lastSequence,
          entryId: last.first.id.toString(),
          observedAtMicros: this.#window.pinnedAtMicros,
          httpStatus: null,
          ...last.parked,
        },
      });
      if (!moved) {
        this.#isLeaseLost = true;
        this.#isHalted = true;
        return;
      }
      this.#stream.row = { ...this.#stream.row, position: last.last, sequence: last.lastSequence };
      this.#flying.splice(0, batches.length);
      this.#accepted.settledUpTo(last.lastSequence);
      this.#options.onSettled({ ...run, lastDeliveryAt: moved.lastDeliveryAt });
      this.#releaseBudget(batches);
      // Only of requests that were read to their end: after an early refusal the rest may still be on its way out.
      for (const { writer } of batches) if (writer) this.#context.buffers.give(writer.release());
    } finally {
      this.#isSettling = false;
    }
  }

  #releaseBudget(batches: readonly Batch[]): void {
    this.#context.budget.release(
      this.#stream.row.id,
      batches.reduce((sum, batch) => sum + batch.bytes, 0),
    );
  }

  #conclude(): RunResult {
    for (const { batch, outcome } of this.#flying) {
      if (batch.writer && outcome !== null && outcome !== 'aborted' && outcome.kind === 'settled') {
        this.#accepted.add({
          first: batch.firstSequence,
          last: batch.lastSequence,
          from: batch.first,
          to: batch.last,
        });
      }
    }
    const left = [...this.#flying.map((f) => f.batch), ...this.#ready];
    this.#releaseBudget(left);

    if (this.#error !== null) throw this.#error;
    if (this.#isLeaseLost) return { kind: 'lease-lost' };
    const first = this.#flying[0];
    if (first?.outcome && first.outcome !== 'aborted' && first.outcome.kind !== 'settled') {
      return { kind: 'failed', batch: first.batch, outcome: first.outcome };
    }
    if (this.#options.interrupt.aborted || !this.#context.isLeaseValid()) return { kind: 'interrupted' };
    return this.#isExhausted && left.length === 0 ? { kind: 'exhausted' } : { kind: 'progress' };
  }
}

/** Longest record that is kept as evidence for later; see proof.ts. */
const maxKeptRecordBytes = 64 * 1024;

function summarize(run: readonly Flying[]): Omit<SettledRun, 'lastDeliveryAt'> {
  let records = 0;
  let accepted = 0;
  let rejected = 0;
  let rejection: SettledRun['rejection'] = null;
  for (const { batch, outcome } of run) {
    if (outcome === null || outcome === 'aborted' || outcome.kind !== 'settled') continue;
    const refused = Math.min(outcome.rejected, batch.records);
    records += batch.records;
    accepted += batch.accepted;
    rejected += refused;
    if (refused > 0)
      rejection = { first: batch.firstSequence, last: batch.lastSequence, message: outcome.message };
  }
  const lastSent = run.map((f) => f.batch).findLast((batch) => batch.writer !== null);
  const writer = lastSent?.writer;
  const fits =
    writer && writer.byteLengthOf(writer.recordCount - 1, writer.recordCount) <= maxKeptRecordBytes;
  const only = run[0]?.batch;
  return {
    records,
    parked: only?.parked
      ? { sequence: only.lastSequence, entryId: only.first.id.toString(), why: only.parked }
      : null,
    delivered: records + accepted - rejected,
    rejected,
    rejection,
    lastOccurredAt: (lastSent?.lastOccurredAtMicros ?? 0) / 1_000,
    lastRecord: fits ? writer.request(writer.recordCount - 1, writer.recordCount).slice() : null,
  };
}
