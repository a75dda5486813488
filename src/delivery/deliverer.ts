/**
 * Delivers what a pinned window holds, and decides after each run what comes next.
 *
 *   run ──exhausted──► finished
 *    │failed
 *    ├─ retry, hold   wait, then again with a small batch
 *    ├─ too-large     again with half the bytes, and keep to what passed
 *    └─ refused       halve down to the record, prove, park
 *
 * What was learned of the endpoint (sizes, suspects, what it took out of turn) lives here, in memory only: a restart
 * learns it again.
 */
import { settle } from '../database/window.ts';
import type { Window } from '../model/stream.ts';
import type { StreamMetrics } from '../telemetry/streamMetrics.ts';
import { AcceptedAhead } from './acceptedAhead.ts';
import type { Batch } from './batch.ts';
import type { ActiveStream, DeliveryContext } from './context.ts';
import type { HealthTracker } from './healthTracker.ts';
import { Isolation } from './isolation.ts';
import { Pace } from './pace.ts';
import { findProof } from './proof.ts';
import { type Failed, type SettledRun, WindowRun } from './windowRun.ts';

/** Before an entry is parked, so many more refusals are asked for, each over a connection of its own. */
const refusalsElsewhere = 2;

export type Step =
  | { readonly kind: 'again' }
  /** Everything of the window is settled. */
  | { readonly kind: 'finished' }
  /** Nothing gets through: come back later. */
  | { readonly kind: 'wait'; readonly outcome: Failed }
  | { readonly kind: 'lease-lost' };

export interface Signals {
  /** A changed config, or a stop: end as soon as what is in flight is answered. */
  readonly interrupt: AbortSignal;
  /** End even that. */
  readonly abort: AbortSignal;
}

export class Deliverer {
  readonly #context: DeliveryContext;
  readonly #stream: ActiveStream;
  readonly #tracker: HealthTracker;
  readonly #metrics: StreamMetrics;
  readonly #onAccepted: () => void;
  readonly #accepted = new AcceptedAhead();
  readonly #isolation = new Isolation();
  readonly #pace: Pace;
  #lastAccepted: Uint8Array | null = null;

  /** `onAccepted` is called whenever the receiver has taken something: back-offs start over. */
  constructor(
    context: DeliveryContext,
    stream: ActiveStream,
    tracker: HealthTracker,
    metrics: StreamMetrics,
    onAccepted: () => void,
  ) {
    this.#context = context;
    this.#stream = stream;
    this.#tracker = tracker;
    this.#metrics = metrics;
    this.#onAccepted = onAccepted;
    this.#pace = new Pace(context.options);
  }

  /** Another endpoint, header or certificate: what was learned does not hold for it. */
  forgetEndpoint(): void {
    this.#isolation.reset();
    this.#pace.reset();
    this.#lastAccepted = null;
  }

  /** The row is not where it was: records that overtook, and suspects, were counted from another place. */
  forgetRow(): void {
    this.#accepted.forget();
    this.#isolation.reset();
  }

  /** The next batch is a small one: the last did not get through. */
  slowDown(): void {
    this.#pace.failed();
  }

  /** @throws when the database fails. */
  async deliver(window: Window, signals: Signals): Promise<Step> {
    const { failure, activity } = this.#tracker.health;
    // Before the first entry is taken nothing shows that it delivers.
    if (!failure && activity !== 'starting') this.#tracker.setActivity('delivering');
    const pace = this.#pace.next(this.#stream.config.spec.maxBatchSize, this.#isolation.recordLimit);
    const run = new WindowRun(this.#context, this.#stream, window, this.#accepted, {
      ...pace,
      single: pace.single || this.#isolation.isActive,
      ...signals,
      onRead: () => this.#tracker.clearDatabaseFailure(),
      onSettled: (settled) => this.#onSettled(settled),
    });
    const result = await run.run();
    switch (result.kind) {
      case 'exhausted':
        return { kind: 'finished' };
      case 'lease-lost':
        return { kind: 'lease-lost' };
      case 'interrupted':
      case 'progress':
        return { kind: 'again' };
      case 'failed':
        return this.#onFailure(window, result.batch, result.outcome, signals.abort);
    }
  }

  #onSettled(run: SettledRun): void {
    this.#tracker.addDelivered(run.delivered, run.rejected, run.lastDeliveryAt);
    this.#metrics.countDelivered(run.delivered + run.rejected, run.rejected);
    if (run.parked) this.#tellSetAside(run.parked);
    if (run.records === 0) return;
    this.#metrics.observeDeliveryDelay(Date.now() - run.lastOccurredAt);
    if (run.lastRecord) this.#lastAccepted = run.lastRecord;
    this.#isolation.accepted(run.records);
    this.#pace.succeeded();
    this.#onAccepted();
    if (run.rejection) this.#tracker.setFailure(describeRejection(run), 'delivering');
    else if (!this.#isolation.isActive) {
      this.#tracker.clearFailure();
      this.#tracker.setActivity('delivering');
    }
  }

  /** It stays to be seen as the last error, and holds up nothing. */
  #tellSetAside({ sequence, entryId, why }: NonNullable<SettledRun['parked']>): void {
    this.#tracker.addParked(1);
    this.#tracker.setFailure(why, 'delivering');
    this.#tracker.clearFailure();
    this.#context.log.warn({ sequence, entryId, reason: why.reason }, 'one entry cannot be read: parked');
  }

  async #onFailure(window: Window, batch: Batch, outcome: Failed, abort: AbortSignal): Promise<Step> {
    switch (outcome.kind) {
      case 'retry':
      case 'hold':
        return { kind: 'wait', outcome };
      case 'too-large':
        this.#lookInto(outcome);
        if (batch.records === 1) return this.#settleRefused(window, batch, outcome, abort);
        this.#pace.tooLarge(batch.bytes);
        return { kind: 'again' };
      case 'refused':
        this.#lookInto(outcome);
        this.#isolation.refused(batch.records);
        return batch.records === 1 ? this.#settleRefused(window, batch, outcome, abort) : { kind: 'again' };
    }
  }

  /** A refusal that is still looked into; while it is held against the configuration, a probe does not change that. */
  #lookInto(outcome: Failed): void {
    if (this.#tracker.health.activity !== 'holding') this.#tracker.setFailure(outcome, 'retrying');
  }

  /** A single record is refused: park it if the endpoint is proven to accept another one, else it is the configuration. */
  async #settleRefused(window: Window, batch: Batch, outcome: Failed, abort: AbortSignal): Promise<Step> {
    this.#isolation.refused(1);
    if (this.#isolation.isProven) return this.#parkIfRefusedElsewhere(window, batch, outcome, abort);
    const proof = await findProof(
      this.#context,
      this.#stream,
      window,
      this.#accepted,
      batch,
      this.#lastAccepted,
      abort,
    );
    switch (proof.kind) {
      case 'accepted':
        // Once more: a refusal of before the proof may have been an endpoint that was just being mended.
        this.#isolation.neighbourAccepted();
        return { kind: 'again' };
      case 'failed':
        return { kind: 'wait', outcome: proof.outcome };
      case 'aborted':
        return { kind: 'again' };
      case 'none':
        return {
          kind: 'wait',
          outcome: {
            ...outcome,
            kind: 'hold',
            message: `${outcome.message} It refuses every entry it is given, so this looks like the configuration of this export or of the receiver, and nothing is set aside.`,
          },
        };
    }
  }

  /** Over new connections first: of several servers behind one name, a single one may refuse what the others take. */
  async #parkIfRefusedElsewhere(
    window: Window,
    batch: Batch,
    refusal: Failed,
    abort: AbortSignal,
  ): Promise<Step> {
    for (let asked = 0; asked < refusalsElsewhere; asked += 1) {
      if (!batch.writer) break;
      const { destination } = this.#stream.config;
      const options = { freshConnection: true };
      const outcome = await this.#context.send(destination, batch.writer.request(), 1, abort, options);
      if (outcome === 'aborted') return { kind: 'again' };
      if (outcome.kind === 'retry' || outcome.kind === 'hold') return { kind: 'wait', outcome };
      if (outcome.kind === 'settled' && outcome.rejected === 0) {
        const { firstSequence, lastSequence, first, last } = batch;
        this.#accepted.add({ first: firstSequence, last: lastSequence, from: first, to: last });
        this.#isolation.parked();
        return { kind: 'again' };
      }
    }
    return this.#park(window, batch, refusal);
  }

  async #park(window: Window, batch: Batch, outcome: Failed): Promise<Step> {
    const { row } = this.#stream;
    const isParked = await settle(this.#context.db, row, {
      window,
      from: row.position,
      to: batch.last,
      sequence: batch.lastSequence,
      delivered: 0,
      rejected: 0,
      parked: {
        sequence: batch.firstSequence,
        entryId: batch.first.id.toString(),
        observedAtMicros: window.pinnedAtMicros,
        reason: outcome.reason,
        httpStatus: outcome.httpStatus ?? null,
        message: outcome.message,
      },
    });
    if (!isParked) return { kind: 'lease-lost' };
    this.#stream.row = { ...this.#stream.row, position: batch.last, sequence: batch.lastSequence };
    this.#accepted.settledUpTo(batch.lastSequence);
    this.#isolation.parked();
    this.#tracker.addParked(1);
    this.#context.log.warn(
      { sequence: batch.firstSequence, entryId: batch.first.id.toString(), reason: outcome.reason },
      'the receiver refuses one entry and accepts others: parked',
    );
    return { kind: 'again' };
  }
}

function describeRejection(run: SettledRun): { reason: 'PartialSuccess'; message: string } {
  const { first, last, message } = run.rejection ?? { first: 0, last: 0, message: '' };
  return {
    reason: 'PartialSuccess',
    message: `The receiver took the request but rejected ${run.rejected} of the entries with sequence numbers ${first} to ${last}, without saying which${message ? `: "${message}"` : ''}.`,
  };
}
