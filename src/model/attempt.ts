/** Attempts at delivery, as they are kept for people: the last hundred of a stream, and sums of each hour. */
import type { FailureReason } from './reasons.ts';

export interface Attempt {
  /** RFC 3339: when it was answered, or given up. */
  readonly at: string;
  readonly records: number;
  /** Sequence numbers of the first and the last record; absent where they are not of this stream's order. */
  readonly numbers?: readonly [first: number, last: number];
  readonly durationMs: number;
  /** Records that the receiver said it did not keep. */
  readonly rejected?: number;
  /** Absent: the receiver took it. */
  readonly reason?: FailureReason;
  /** Absent: it was taken, or no answer came. */
  readonly httpStatus?: number;
  /** What happened, at most `maxWords` characters; absent: nothing to say. */
  readonly message?: string;
}

export const keptAttempts = 100;
export const maxWords = 200;

/** What the attempts of one hour came to. */
export interface HourOfAttempts {
  /** RFC 3339: when the hour began. */
  readonly hour: string;
  readonly accepted: number;
  readonly rejected: number;
  readonly requests: number;
  /** Failed requests by reason. */
  readonly failures: Readonly<Record<string, number>>;
  /** Requests by how long they took: up to each of `latencyBoundsMs`, and longer. */
  readonly latency: readonly number[];
}

/** Upper bounds; times in between are not kept. */
export const latencyBoundsMs = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000] as const;

/** Where a duration is counted. */
export function latencyBucket(durationMs: number): number {
  const bucket = latencyBoundsMs.findIndex((bound) => durationMs <= bound);
  return bucket === -1 ? latencyBoundsMs.length : bucket;
}

/**
 * A bound that at least the share `q` (0 to 1) of the requests kept, in milliseconds; Infinity: beyond the last one; null: there is
 * none.
 */
export function latencyQuantile(latency: readonly number[], q: number): number | null {
  const all = latency.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  let seen = 0;
  const bucket = latency.findIndex((count) => {
    seen += count;
    return seen >= all * q;
  });
  return latencyBoundsMs[bucket] ?? Number.POSITIVE_INFINITY;
}
