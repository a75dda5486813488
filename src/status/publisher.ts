/** Writes each export's status: at once when a condition changes, seldom for counters; the source compares it with what stands. */
import type { ExportStatus } from '../model/streamStatus.ts';
import { claimsNothingWaits } from './conditions.ts';
import type { StatusDecision } from './exportStatus.ts';

/** The exports whose status it is. */
export interface Exports {
  readonly keys: () => Iterable<string>;
  /** @param written what was last written, as far as is known. */
  readonly decide: (key: string, written: ExportStatus | null) => StatusDecision;
  readonly write: (key: string, status: ExportStatus) => Promise<void>;
}

interface Written {
  readonly status: ExportStatus;
  readonly at: number;
}

export class StatusPublisher {
  readonly #counterIntervalMs: number;
  readonly #written = new Map<string, Written>();
  readonly #due = new Set<string>();
  #exports: Exports | null = null;
  #timer: NodeJS.Timeout | null = null;
  #working: Promise<void> | null = null;

  /** @param counterIntervalMs between two writes that change counters or times only. */
  constructor(counterIntervalMs: number) {
    this.#counterIntervalMs = counterIntervalMs;
  }

  /** Writes what is due from now on, and looks at all exports as often as counters may be written. */
  start(exports: Exports): void {
    this.#exports = exports;
    this.#timer = setInterval(() => {
      for (const key of exports.keys()) this.notify(key);
    }, this.#counterIntervalMs);
  }

  /** Something about the export may have changed. Cheap; writes follow one after the other. Before the start it does nothing. */
  notify(key: string): void {
    if (!this.#exports) return;
    this.#due.add(key);
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
    });
  }

  /** The manifest is gone: what was written for it says nothing about a later one of the same name. */
  forget(key: string): void {
    this.#written.delete(key);
  }

  /** Writes what is due, counters included, and ends. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#working;
    for (const key of this.#exports?.keys() ?? []) await this.#publish(key, true);
  }

  async #work(): Promise<void> {
    // One turn later, so that several changes at once become one write.
    await Promise.resolve();
    for (const key of this.#due) {
      this.#due.delete(key);
      await this.#publish(key, false);
    }
  }

  async #publish(key: string, countersToo: boolean): Promise<void> {
    const before = this.#written.get(key) ?? null;
    const decision = this.#exports?.decide(key, before?.status ?? null);
    if (decision?.kind === 'not-ours') this.#written.delete(key);
    if (decision?.kind !== 'write') return;
    const { status } = decision;
    const isSame = before !== null && JSON.stringify(status) === JSON.stringify(before.status);
    const isOnlyCounters = before !== null && essence(status) === essence(before.status);
    // The last word of a stop says what is new, not what has been said.
    const earliest = isSame ? assertAgainMs : isOnlyCounters ? this.#counterIntervalMs * slack : 0;
    const isDue = before === null || Date.now() - before.at >= earliest;
    if (countersToo ? isSame : !isDue) return;
    this.#written.set(key, { status, at: Date.now() });
    await this.#exports?.write(key, status);
  }
}

/** A status that somebody else has written over, as a replica may that cannot know better, is put right after so long. */
const assertAgainMs = 60_000;

/** So that the timer of the interval does not come a millisecond early and write nothing. */
const slack = 0.9;

/** What a person wants to know at once. Without the message of a Ready that is not False: it has counters then. */
function essence(status: ExportStatus): string {
  return JSON.stringify([
    status.observedGeneration,
    status.resolvedEndpoint,
    status.conditions.map((c) => [
      c.type,
      c.status,
      c.reason,
      c.status !== 'False' && c.type === 'Ready' ? '' : c.message,
    ]),
    status.lastError,
    status.parkedEntries,
    claimsNothingWaits(status),
    // While entries wait: once it is known how many.
    status.conditions[0]?.status === 'False' && status.pendingEntries === undefined,
    status.lastHandledReconcileAt,
    status.replay && [status.replay.id, status.replay.state],
  ]);
}
