/**
 * Sends ranges of entries once more, beside the stream that they belong to: in its loop, over its lease, while it has nothing else
 * to do. Each is a stream of its own with an end.
 *
 *   claim ──► pin a window ──► deliver … finish ──► next cluster ──► ended
 *                                │
 *                                └─ new entries: what is in flight is settled, and the stream goes first
 */
import { askReplayOnce, claimReplay, readReplays } from '../database/replays.ts';
import type { Remark } from '../model/exportConfig.ts';
import { type Replay, statusOfReplay } from '../model/replay.ts';
import type { ReplayStatus } from '../model/streamStatus.ts';
import { makeReplayMetrics } from '../telemetry/streamMetrics.ts';
import { deliverWindow } from './deliverWindow.ts';
import { type Signals, Stream } from './stream.ts';

/** Between two tries of what may be granted later, unless a replay ends before. */
const askAgainMs = 60_000;

export class Replays {
  readonly #live: Stream;
  #current: Current | null = null;
  /** The one that was asked for last, while none is under way. */
  #last: Replay | null = null;
  /** What was last said. */
  #shown = 'undefined undefined null';
  /** One may have been asked for since the last look. */
  #mayWait: boolean;
  /** The receiver takes nothing of it before. */
  #dueAt = 0;
  /** Value of the annotation that was acted on, or refused, in this process. */
  #asked: string | undefined;
  /** A refusal that may pass is not asked about again before; an end of a replay makes it due. */
  #askAgainAt = 0;
  /** Why what the annotation asks for is not sent. */
  #refusal: string | null = null;
  /** Ends the turn that is under way as soon as what is in flight is settled. */
  #yield: AbortController | null = null;

  constructor(live: Stream) {
    this.#live = live;
    this.#mayWait = live.position.row.hasReplays === true;
    live.health.replayOf = () => this.#status;
  }

  /** How long until there may be something to do; Infinity: until somebody asks. */
  get dueInMs(): number {
    const hasWork = this.#mayWait || this.#current !== null;
    if (!hasWork && !this.#isAskedByConfig()) return Number.POSITIVE_INFINITY;
    return Math.max(0, (hasWork ? this.#dueAt : Math.max(this.#dueAt, this.#askAgainAt)) - performance.now());
  }

  /** What a person has to know of the annotation. */
  get remarks(): readonly Remark[] {
    if (this.#refusal === null || !this.#live.config.replay) return [];
    const message = `Nothing is sent again for the annotation auditexport.dev/replay: ${this.#refusal}`;
    return [{ reason: 'ReplayNotUnderstood', message }];
  }

  /** Reads what came of the last one, so that a status that is written before the first look says it too. */
  async begin(): Promise<void> {
    if (!this.#mayWait) return;
    const { shared, id } = this.#live;
    [this.#last = null] = await readReplays(shared.db, id, 1).catch(() => []);
  }

  /** Somebody may have asked for one, or canceled one. */
  wake(): void {
    this.#mayWait = true;
  }

  /** The stream itself has something to send. */
  yieldToEntries(): void {
    this.#yield?.abort();
  }

  /** The settings have changed: the receiver may take it now. */
  retry(): void {
    this.#dueAt = 0;
  }

  /**
   * Goes on with the replay whose turn it is, if it is due; `most`: until there are new entries, or by one batch. Nothing of a failure
   * ends up with the stream: the receiver takes its entries, or it says so itself.
   *
   * @throws when the database fails.
   */
  async goOn(signals: Signals, most: 'window' | 'batch' = 'window'): Promise<void> {
    if (this.dueInMs > 0) return;
    const turn = new AbortController();
    this.#yield = turn;
    try {
      await this.#askForConfig();
      this.#current ??= await this.#claim();
      const interrupt = AbortSignal.any([signals.interrupt, turn.signal]);
      this.#show();
      if (this.#current) await this.#step(this.#current, { ...signals, interrupt }, most);
    } catch (error) {
      this.#forget();
      throw error;
    } finally {
      this.#yield = null;
    }
    this.#show();
  }

  /** Resolves when every write that was begun has ended. */
  async written(): Promise<void> {
    await this.#current?.stream.position.written();
  }

  async #step(current: Current, signals: Signals, most: 'window' | 'batch'): Promise<void> {
    const { stream, replay } = current;
    const { config } = this.#live;
    if (stream.config !== config) stream.updateConfig(config);
    const { window } = stream.position.row;
    if (window === null) {
      const pinned = await stream.position.pinReplay(replay, config.spec.filter);
      if (pinned.kind === 'pinned') current.replay = { ...replay, total: pinned.total };
      if (pinned.kind === 'ended') stream.log.info({ replay: replay.id }, 'a replay has ended');
      if (pinned.kind === 'ended' || pinned.kind === 'lease-lost') this.#forget();
      return;
    }
    const step = await deliverWindow(stream, window, signals, most);
    switch (step.kind) {
      case 'again':
        return;
      case 'finished':
        if ((await stream.position.finish()) === null) this.#forget();
        return;
      case 'wait':
        stream.health.setFailure(step.outcome, step.outcome.kind === 'retry' ? 'retrying' : 'holding');
        this.#dueAt = performance.now() + stream.endpoint.failed(step.outcome);
        return;
      case 'lease-lost':
        this.#forget();
    }
  }

  async #claim(): Promise<Current | null> {
    this.#mayWait = false;
    this.#dueAt = 0;
    const { shared, position, config } = this.#live;
    const claimed = await claimReplay(shared.db, position.row);
    if (claimed === null) {
      [this.#last = null] = await readReplays(shared.db, this.#live.id, 1);
      return null;
    }
    const { row, replay } = claimed;
    const stream = new Stream(shared, row, config, () => {}, makeReplayMetrics(this.#live.metrics));
    stream.log.info({ replay: replay.id, since: replay.since, until: replay.until }, 'took a replay');
    return { stream, replay };
  }

  /** What is remembered of it may be wrong, or it has ended. */
  #forget(): void {
    this.#current = null;
    this.#mayWait = true;
    this.#askAgainAt = 0;
  }

  #isAskedByConfig(): boolean {
    const { replay } = this.#live.config;
    return replay !== undefined && replay.request !== this.#asked;
  }

  async #askForConfig(): Promise<void> {
    const { shared, position, config, log } = this.#live;
    if (!config.replay || !this.#isAskedByConfig() || performance.now() < this.#askAgainAt) return;
    const result = await askReplayOnce(shared.db, position.row, config.replay);
    const refusal = result?.kind === 'refused' ? result.problem : null;
    if (refusal !== null && refusal !== this.#refusal) log.warn({ request: config.replay.request }, refusal);
    this.#refusal = refusal;
    if (result?.kind === 'refused' && result.mayPass) {
      this.#askAgainAt = performance.now() + askAgainMs;
      return;
    }
    this.#asked = config.replay.request;
    this.#mayWait = true;
    if (result?.kind === 'asked')
      log.info({ request: this.#asked, replay: result.id }, 'a replay is asked for');
  }

  /** The status of the export says how far it is, or what came of the last one. */
  get #status(): ReplayStatus | null {
    const replay = this.#current ? presentReplay(this.#current) : this.#last;
    return replay && statusOfReplay(replay);
  }

  /** Says at once that one begins, fails or has ended; counters follow with the others. */
  #show(): void {
    const status = this.#status;
    const essence = `${status?.id} ${status?.state} ${this.#refusal}`;
    if (essence === this.#shown) return;
    this.#shown = essence;
    this.#live.health.show();
  }
}

/** A replay in hand, and how it stood when it was taken. */
interface Current {
  readonly stream: Stream;
  replay: Replay;
}

function presentReplay({ stream, replay }: Current): Replay {
  const { delivered, rejected, parked, lastError } = stream.health.current;
  return { ...replay, delivered, rejected, parked: replay.parked + parked, lastError };
}
