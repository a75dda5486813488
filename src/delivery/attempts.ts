/**
 * Gathers how the requests of a stream went, in memory, until they are added to what the database keeps: once a minute, and within
 * seconds after a failure. No batch waits for it.
 *
 *   answer → ATTEMPTS → keeper → audit.stream_hours, audit.stream_attempts → page
 */
import { pause } from '../basics/wait.ts';
import { addAttempts, type GatheredAttempts } from '../database/attempts.ts';
import type { Database } from '../database/pool.ts';
import {
  type Attempt,
  type HourOfAttempts,
  keptAttempts,
  latencyBoundsMs,
  latencyBucket,
  maxWords,
} from '../model/attempt.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Logger } from '../telemetry/logger.ts';

const hourMs = 3_600_000;

interface Counts {
  accepted: number;
  rejected: number;
  requests: number;
  readonly failures: Record<string, number>;
  readonly latency: number[];
}

export interface Answered {
  readonly outcome: Outcome;
  readonly records: number;
  readonly numbers?: readonly [first: number, last: number];
  readonly durationMs: number;
}

/** What was gathered for one stream; empty after each write. */
export class Attempts {
  readonly #now: () => number;
  #hours = new Map<number, Counts>();
  #attempts: Attempt[] = [];
  #nextTryAt: number | null = null;
  #isChanged = false;
  /** One has failed since the last write: people look at it soon. */
  #isUrgent = false;

  /** `now`: milliseconds since the Unix epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  add({ outcome, records, numbers, durationMs }: Answered): void {
    const now = this.#now();
    const isTaken = outcome.kind === 'settled';
    const rejected = isTaken ? Math.min(outcome.rejected, records) : 0;
    const counts = this.#countsAt(now);
    counts.requests += 1;
    counts.accepted += isTaken ? records - rejected : 0;
    counts.rejected += rejected;
    const bucket = latencyBucket(durationMs);
    counts.latency[bucket] = (counts.latency[bucket] ?? 0) + 1;
    if (!isTaken) counts.failures[outcome.reason] = (counts.failures[outcome.reason] ?? 0) + 1;
    const httpStatus = isTaken ? undefined : outcome.httpStatus;
    this.#attempts.push({
      at: new Date(now).toISOString(),
      records,
      durationMs: Math.round(durationMs),
      ...(numbers && { numbers }),
      ...(rejected > 0 && { rejected }),
      ...(!isTaken && { reason: outcome.reason }),
      ...(httpStatus !== undefined && { httpStatus }),
      ...(outcome.message !== '' && { message: outcome.message.slice(0, maxWords).toWellFormed() }),
    });
    if (this.#attempts.length > keptAttempts) this.#attempts.shift();
    this.#nextTryAt = null;
    this.#isChanged = true;
    this.#isUrgent ||= !isTaken;
  }

  /** It is tried again after `ms`. */
  waits(ms: number): void {
    this.#nextTryAt = this.#now() + ms;
    this.#isChanged = true;
    this.#isUrgent = true;
  }

  get isChanged(): boolean {
    return this.#isChanged;
  }

  get isUrgent(): boolean {
    return this.#isUrgent;
  }

  /** Hands over what was gathered, and begins again with nothing. */
  take(): Omit<GatheredAttempts, 'streamId'> {
    const hours = [...this.#hours].map(
      ([hour, counts]): HourOfAttempts => ({ hour: new Date(hour).toISOString(), ...counts }),
    );
    const attempts = this.#attempts;
    const nextTryAt = this.#nextTryAt === null ? null : new Date(this.#nextTryAt).toISOString();
    this.#hours = new Map();
    this.#attempts = [];
    this.#isChanged = false;
    this.#isUrgent = false;
    return { hours, attempts, nextTryAt };
  }

  #countsAt(now: number): Counts {
    const hour = now - (now % hourMs);
    let counts = this.#hours.get(hour);
    if (counts === undefined) {
      const latency = new Array<number>(latencyBoundsMs.length + 1).fill(0);
      counts = { accepted: 0, rejected: 0, requests: 0, failures: {}, latency };
      this.#hours.set(hour, counts);
    }
    return counts;
  }
}

interface Gathering {
  readonly id: string;
  readonly attempts: Attempts;
}

export interface AttemptKeeperOptions {
  readonly db: Database;
  readonly log: Logger;
  readonly running: () => readonly Gathering[];
  /** Default: 5 s after a failure; everything every twelfth time. */
  readonly intervalMs?: number | undefined;
}

const defaultIntervalMs = 5_000;
const allRarer = 12;
/** So many streams at once: a statement holds up nothing for long. */
const streamsAtOnce = 500;

/** Writes what the running streams have gathered. Resolves once it has stopped; never rejects. */
export async function runAttemptKeeper(options: AttemptKeeperOptions, stop: AbortSignal): Promise<void> {
  const { running, intervalMs = defaultIntervalMs } = options;
  for (let round = 1; !stop.aborted; round += 1) {
    await pause(intervalMs, stop);
    const isAll = round % allRarer === 0;
    await keepAttempts(
      options,
      running().filter(({ attempts }) => attempts.isUrgent || (isAll && attempts.isChanged)),
    );
  }
}

/** Best effort: what cannot be written is forgotten, since it is said elsewhere what is delivered. */
export async function keepAttempts(
  { db, log }: Pick<AttemptKeeperOptions, 'db' | 'log'>,
  streams: readonly Gathering[],
): Promise<void> {
  for (let from = 0; from < streams.length; from += streamsAtOnce) {
    const gathered = streams
      .slice(from, from + streamsAtOnce)
      .filter(({ attempts }) => attempts.isChanged)
      .map(({ id, attempts }) => ({ streamId: id, ...attempts.take() }));
    if (gathered.length === 0) continue;
    await addAttempts(db, gathered).catch((error: unknown) =>
      log.debug({ err: error, streams: gathered.length }, 'what was gathered of attempts could not be kept'),
    );
  }
}
