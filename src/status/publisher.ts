/** Writes each export's status: at once when a condition changes, seldom for counters, never when nothing differs. */
import type { ExportStatus } from '../model/streamStatus.ts';
import { claimsAllDelivered } from './conditions.ts';

export interface PublisherOptions {
  /** Builds the status as it is now; null: not ours to write. */
  readonly makeStatus: (key: string, previous: ExportStatus | null) => ExportStatus | null;
  readonly write: (key: string, status: ExportStatus) => Promise<void>;
  /** Between two writes that change counters or times only. */
  readonly counterIntervalMs: number;
}

interface Written {
  readonly status: ExportStatus;
  readonly at: number;
}

export class StatusPublisher {
  readonly #options: PublisherOptions;
  readonly #written = new Map<string, Written>();
  readonly #due = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #working: Promise<void> | null = null;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Looks at all keys as often as counters may be written. */
  start(keys: () => Iterable<string>): void {
    this.#timer = setInterval(() => {
      for (const key of keys()) this.notify(key);
    }, this.#options.counterIntervalMs);
  }

  /** Something about the export may have changed. Cheap; writes follow one after the other. */
  notify(key: string): void {
    this.#due.add(key);
    this.#working ??= this.#work().finally(() => {
      this.#working = null;
    });
  }

  /** The manifest is gone: what was written of it says nothing about one of the same name that comes later. */
  forget(key: string): void {
    this.#written.delete(key);
  }

  /** Writes what is due, counters included, and ends. */
  async stop(keys: Iterable<string>): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#working;
    for (const key of keys) await this.#publish(key, true);
  }

  async #work(): Promise<void> {
    // A turn later, so that several changes of one moment are one write.
    await Promise.resolve();
    for (const key of this.#due) {
      this.#due.delete(key);
      await this.#publish(key, false);
    }
  }

  async #publish(key: string, countersToo: boolean): Promise<void> {
    const before = this.#written.get(key) ?? null;
    const status = this.#options.makeStatus(key, before?.status ?? null);
    if (!status) return;
    if (before && JSON.stringify(status) === JSON.stringify(before.status)) return;
    const isOnlyCounters = before !== null && essence(status) === essence(before.status);
    if (isOnlyCounters && !countersToo && Date.now() - before.at < this.#options.counterIntervalMs * slack)
      return;
    this.#written.set(key, { status, at: Date.now() });
    await this.#options.write(key, status);
  }
}

/** The interval's own timer must not find itself a millisecond early. */
const slack = 0.9;

/** What a person wants to know at once. The message is left out while Ready: then it holds counters. */
function essence(status: ExportStatus): string {
  return JSON.stringify([
    status.observedGeneration,
    status.resolvedEndpoint,
    status.conditions.map((c) => [
      c.type,
      c.status,
      c.reason,
      c.status === 'True' && c.type === 'Ready' ? '' : c.message,
    ]),
    status.lastError,
    status.parkedEntries,
    claimsAllDelivered(status),
    // While entries wait: how many, once that is known.
    status.conditions[0]?.status === 'False' && status.pendingEntries === undefined,
    status.lastHandledReconcileAt,
  ]);
}
