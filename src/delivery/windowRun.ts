/**
 * Delivers a pinned window at full speed: reads pages ahead, keeps several requests in flight, settles the unbroken run.
 *
 *   row → window → PAGE → BATCH → BYTES → ANSWER → outcome → SETTLE → status
 *
 * A run is a small machine: in each turn it starts whatever may start (a read, a send, a settle) and waits until one of
 * them ends. It ends when nothing is under way and nothing may start.
 *
 *   open ──failure, interrupt──► closing ──┐
 *    └────lease lost, error─────► void ────┴─► end
 *
 * Promises:
 *  - The position moves only over batches settled without a gap, in order.
 *  - After the first failure nothing new is sent; what is in flight is waited for, and its success remembered.
 *  - No buffer outlives the run: a retry reads the entries again, exactly as a restarted process would.
 */
import type { Failed } from '../model/outcome.ts';
import type { Window } from '../model/stream.ts';
import type { Batch } from './batch.ts';
import { isSettled, nothingToSend, type Sent, settleSent } from './settleSent.ts';
import type { Signals, Step, Stream } from './stream.ts';
import { releaseBatches, WindowReader } from './windowReader.ts';

/** `failed`: the batch at the position did not get through. */
export type RunResult = Step | { readonly kind: 'failed'; readonly batch: Batch; readonly outcome: Failed };

/** `closing`: nothing new is read or sent, what is in flight is settled. `void`: nothing is settled either. */
type Mode = 'open' | 'closing' | 'void';

export class WindowRun {
  readonly #stream: Stream;
  readonly #window: Window;
  readonly #signals: Signals;
  readonly #reader: WindowReader;

  readonly #tasks = new Set<Promise<void>>();
  readonly #ready: Batch[] = [];
  readonly #sent: Sent[] = [];
  #mode: Mode = 'open';
  #isReading = false;
  #inFlight = 0;
  #isSettling = false;
  #error: unknown = null;

  constructor(stream: Stream, window: Window, signals: Signals) {
    this.#stream = stream;
    this.#window = window;
    this.#signals = signals;
    const limits = stream.endpoint.batchLimits(stream.config.spec.maxBatchSize);
    this.#reader = new WindowReader(stream, window, limits, Number.POSITIVE_INFINITY);
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
    const { shared, endpoint } = this.#stream;
    if (this.#signals.interrupt.aborted || !shared.isLeaseValid()) this.#close();
    if (this.#mode === 'open') {
      const { maxInFlight } = endpoint.pace;
      if (!this.#isReading && !this.#reader.isExhausted && this.#ready.length < maxInFlight)
        this.#start(this.#read());
      while (this.#inFlight < maxInFlight) {
        const batch = this.#ready.shift();
        if (!batch) break;
        this.#start(this.#send(batch));
      }
    }
    if (this.#mode !== 'void' && !this.#isSettling && this.#settledCount() > 0) this.#start(this.#settle());
  }

  #start(work: Promise<void>): void {
    const task = work
      .catch((error: unknown) => {
        this.#error ??= error;
        this.#mode = 'void';
      })
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  #close(): void {
    if (this.#mode === 'open') this.#mode = 'closing';
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      const batches = await this.#reader.read(this.#signals.interrupt);
      if (batches === 'stale') this.#mode = 'void';
      else this.#ready.push(...batches);
    } finally {
      this.#isReading = false;
    }
  }

  async #send(batch: Batch): Promise<void> {
    const sent: Sent = { batch, outcome: batch.writer ? null : nothingToSend };
    this.#sent.push(sent);
    if (!batch.writer) return;
    this.#inFlight++;
    try {
      const { firstSequence, lastSequence } = batch;
      sent.outcome = await this.#stream.send(batch.writer.request(), batch.records, this.#signals.abort, {
        numbers: [firstSequence, lastSequence],
      });
    } finally {
      this.#inFlight--;
    }
    if (!isSettled(sent.outcome)) this.#close();
  }

  /** How many batches from the position on are settled without a gap; one that is parked goes alone. */
  #settledCount(): number {
    let count = 0;
    for (const { batch, outcome } of this.#sent) {
      if (!isSettled(outcome)) break;
      if (batch.parked) return Math.max(1, count);
      count++;
    }
    return count;
  }

  async #settle(): Promise<void> {
    this.#isSettling = true;
    try {
      const count = this.#settledCount();
      const isLast = this.#reader.isExhausted && this.#ready.length === 0 && count === this.#sent.length;
      if (await settleSent(this.#stream, this.#window, this.#sent.slice(0, count), isLast))
        this.#sent.splice(0, count);
      else this.#mode = 'void';
    } finally {
      this.#isSettling = false;
    }
  }

  #conclude(): RunResult {
    for (const { batch, outcome } of this.#sent) {
      if (batch.writer && isSettled(outcome)) this.#stream.position.acceptAhead(batch);
    }
    const left = [...this.#sent.map(({ batch }) => batch), ...this.#ready];
    releaseBatches(this.#stream, left);

    if (this.#error !== null) throw this.#error;
    if (this.#mode === 'void') return { kind: 'lease-lost' };
    const first = this.#sent[0];
    if (first?.outcome && first.outcome !== 'aborted' && !isSettled(first.outcome))
      return { kind: 'failed', batch: first.batch, outcome: first.outcome };
    return { kind: this.#reader.isExhausted && left.length === 0 ? 'finished' : 'again' };
  }
}
