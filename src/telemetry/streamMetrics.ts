/** The metrics of each stream, and their removal: a stream that is gone leaves no series behind. */
import type { Counter, Gauge, Histogram } from 'prom-client';
import type { Outcome } from '../model/outcome.ts';
import type { FailureReason } from '../model/reasons.ts';
import type { StreamState } from '../model/states.ts';
import type { Instruments } from './instruments.ts';

export interface StreamLabels {
  readonly namespace: string;
  readonly name: string;
  readonly organization: string;
}

export type StreamMetrics = ReturnType<ReturnType<typeof makeStreamMetrics>>;

interface ObservedRequest {
  readonly outcome: Outcome['kind'];
  /** Absent when settled. */
  readonly reason?: FailureReason;
  readonly durationMs: number;
  readonly records: number;
  /** Before compression. */
  readonly bytes: number;
}

type AnyMetric = Counter | Gauge | Histogram;

/** What is known about a stream that has a handle. */
interface LiveStream {
  readonly labels: StreamLabels;
  /** Label values used beside the stream's own, by metric: what `remove` must undo. */
  readonly used: Map<AnyMetric, Map<string, Record<string, string>>>;
  oldestPendingMs: number | null;
  state: StreamState | null;
  /** The handle that may still write; the others were replaced or removed. */
  owner: symbol;
}

/** Returns `Metrics.forStream`. */
export function makeStreamMetrics(instruments: Instruments, now: () => number) {
  const live = new Map<string, LiveStream>();
  const { deliveredEntries, rejectedEntries, requests, retries, oldestPendingAge } = instruments;
  // Calculated at the scrape, so that the age keeps growing if the loop that should set it hangs.
  const collect = (): void => {
    for (const { labels, oldestPendingMs } of live.values()) {
      const ageMs = oldestPendingMs === null ? 0 : Math.max(0, now() - oldestPendingMs);
      oldestPendingAge.set({ ...labels }, ageMs / 1_000);
    }
  };
  Object.assign(oldestPendingAge, { collect });

  return ({ namespace, name, organization }: StreamLabels) => {
    const owner = Symbol(name);
    const key = JSON.stringify([namespace, name, organization]);
    const labels = { namespace, name, organization };
    const stream = live.get(key) ?? { labels, used: new Map(), oldestPendingMs: null, state: null, owner };
    stream.owner = owner;
    live.set(key, stream);

    const isOwner = () => live.get(key)?.owner === owner;

    /** All writes go through here: nothing is written for a stream that is gone, and everything written is remembered. */
    function write<M extends AnyMetric>(
      metric: M,
      apply: (metric: M, labels: Record<string, string>) => void,
      extra: Record<string, string> = {},
    ): void {
      if (!isOwner()) return;
      const all = { ...labels, ...extra };
      const used = stream.used.get(metric) ?? new Map<string, Record<string, string>>();
      stream.used.set(metric, used.set(Object.values(extra).join(' '), all));
      apply(metric, all);
    }

    write(deliveredEntries, (metric, all) => metric.inc(all, 0));
    write(rejectedEntries, (metric, all) => metric.inc(all, 0));

    return {
      /** Counts the entries of an acknowledged batch, `rejected` of them by the receiver's own count. */
      countDelivered(entries: number, rejected = 0) {
        write(deliveredEntries, (metric, all) => metric.inc(all, entries));
        write(rejectedEntries, (metric, all) => metric.inc(all, rejected));
      },
      /** Counts what a replay of a range has sent. */
      countReplayed: (entries: number) =>
        write(instruments.replayedEntries, (metric, all) => metric.inc(all, entries)),
      /** null: not known, which differs from none; then there is no series. */
      setPending: (entries: number | null) =>
        write(instruments.pendingEntries, (metric, all) =>
          entries === null ? metric.remove(all) : metric.set(all, entries),
        ),
      /** When the oldest entry not acknowledged occurred, null when there is none. Its age is calculated at each scrape. */
      setOldestPending(occurredAt: Date | null) {
        if (isOwner()) stream.oldestPendingMs = occurredAt === null ? null : occurredAt.getTime();
      },
      setParked: (entries: number) =>
        write(instruments.parkedEntries, (metric, all) => metric.set(all, entries)),
      setState(current: StreamState) {
        const { state: before } = stream;
        if (before === current || !isOwner()) return;
        stream.state = current;
        const show = (state: StreamState, value: 0 | 1): void =>
          write(instruments.streamState, (metric, all) => metric.set(all, value), { state });
        if (before !== null) show(before, 0);
        show(current, 1);
      },
      /** Entries a second; 0 when the stream is not working off a backlog. */
      setCatchUpRate: (rate: number) =>
        write(instruments.catchUpRate, (metric, all) => metric.set(all, rate)),
      /** Records one attempt, whatever its result. */
      observeRequest({ outcome, reason, durationMs, records, bytes }: ObservedRequest) {
        instruments.batchRecords.observe(records);
        instruments.batchBytes.observe(bytes);
        write(requests, (metric, all) => metric.inc(all), { outcome, reason: reason ?? 'none' });
        write(instruments.requestDuration, (metric, all) => metric.observe(all, durationMs / 1_000));
      },
      /** Called when a failed batch is sent again, with the reason of that failure. */
      countRetry: (reason: FailureReason) => write(retries, (metric, all) => metric.inc(all), { reason }),
      /** Time from `occurred_at` of the newest entry of an acknowledged batch to the acknowledgement. */
      observeDeliveryDelay(delayMs: number) {
        write(instruments.deliveryDelay, (metric, all) => metric.observe(all, Math.max(0, delayMs) / 1_000));
      },
      /** Removes every series of the stream. Later calls, for an answer that comes late, do nothing. */
      remove() {
        if (!isOwner()) return;
        for (const [metric, used] of stream.used) {
          for (const all of used.values()) metric.remove(all);
        }
        oldestPendingAge.remove(labels);
        live.delete(key);
      },
    };
  };
}

/** Those of a replay: what it sends is counted apart, and everything else that is shown is the stream's own. */
export function makeReplayMetrics(stream: StreamMetrics): StreamMetrics {
  return {
    countDelivered: (entries) => stream.countReplayed(entries),
    countReplayed: () => {},
    setPending: () => {},
    setOldestPending: () => {},
    setParked: () => {},
    setState: () => {},
    setCatchUpRate: () => {},
    observeRequest: (request) => stream.observeRequest(request),
    countRetry: (reason) => stream.countRetry(reason),
    observeDeliveryDelay: () => {},
    remove: () => {},
  };
}
