/**
 * How much of a window is read at once: little after a failure and where rows are large, one row that needs memory of its own by
 * itself.
 *
 * What was learned of a stream's rows outlives a run, and a failure of the database.
 */
import type { PageLimits, PageResult } from '../database/readWindow.ts';
import { rowFaultOf } from '../database/unreadable.ts';

export interface ReadPlan extends PageLimits {
  /** A page ends with the entry that passes so many bytes of text. */
  readonly pageBytes: number;
  readonly rowBytes: number;
  /** What reading it may take. */
  readonly memoryBytes: number;
  /** All of that is needed. */
  readonly isLargeRow: boolean;
}

export type AfterRead =
  | { readonly kind: 'go-on' }
  /** The next entry cannot be sent, or so it seems. */
  | { readonly kind: 'set-aside'; readonly cause: Cause };

export type Cause =
  | { readonly kind: 'oversize'; readonly bytes: number }
  | { readonly kind: 'error'; readonly error: unknown };

/** An entry of more text than this is not read: no receiver takes it, and one alone would take a collector's memory. */
export const maxRowBytes = 32 * 1024 * 1024;

const firstPageRows = 500;
/** A single record is looked for among a few: the filter may leave the next ones out. */
const minSingleRows = 16;
const maxPageRows = 4_000;
/** A row up to this is read as it comes. A larger one costs a connection, and is then read alone. */
export const plainRowBytes = 1024 * 1024;
const leastPageBytes = 64 * 1024;
/** A large row lies in memory as it arrives, put together, and encoded. */
const copiesOfLargeRow = 3;

/** What reading and encoding a large row takes. */
export function rowMemoryBytes(rowBytes: number): number {
  return copiesOfLargeRow * rowBytes;
}

const largeRowTimeoutMs = 300_000;

export class ReadPace {
  #rows = firstPageRows;
  /** After failures: less than a full page. */
  #pageBytes = Number.POSITIVE_INFINITY;
  /** Size of the next row, when it is known to be large; 0: nothing is known. */
  #largeBytes = 0;
  /** The row that failed last, by position, and how often it did since when. */
  readonly #strikes = { key: '', count: 0, since: 0 };

  /** Of the next page. `records`: no more are looked for. */
  plan(pageBytes: number, records: number): ReadPlan {
    if (this.#largeBytes > 0) {
      const rowBytes = Math.min(maxRowBytes, this.#largeBytes);
      const memoryBytes = rowMemoryBytes(rowBytes);
      return {
        rows: 1,
        pageBytes: rowBytes,
        rowBytes,
        memoryBytes,
        isLargeRow: true,
        timeoutMs: largeRowTimeoutMs,
      };
    }
    const bytes = Math.min(pageBytes, this.#pageBytes);
    const rows = Math.min(this.#rows, Math.max(minSingleRows, records));
    return {
      rows,
      pageBytes: bytes,
      rowBytes: Math.max(plainRowBytes, bytes),
      memoryBytes: bytes,
      isLargeRow: false,
    };
  }

  /** Nothing was read: less the next time. */
  failed(): void {
    this.#rows = Math.max(1, Math.floor(this.#rows / 4));
    const bytes = Number.isFinite(this.#pageBytes) ? this.#pageBytes : leastPageBytes * 16;
    this.#pageBytes = Math.max(leastPageBytes, Math.floor(bytes / 4));
  }

  /** Learns from a page that was read, and says what becomes of the entry behind it. @throws an error that no entry is at fault for. */
  ended(plan: ReadPlan, { taken, end }: PageResult, textBytes: number): AfterRead {
    this.#largeBytes = 0;
    switch (end.kind) {
      case 'oversize':
        // The second time on another connection: so it was no mistake.
        if (taken === 0 && plan.rows === 1 && plan.rowBytes === maxRowBytes)
          return { kind: 'set-aside', cause: end };
        this.#largeBytes = end.bytes;
        return { kind: 'go-on' };
      case 'broken':
        this.failed();
        if (taken === 0) {
          if (rowFaultOf(end.error) === null) throw end.error;
          if (plan.rows === 1) return { kind: 'set-aside', cause: { kind: 'error', error: end.error } };
        }
        // What failed is the next row, or one that is read together with it.
        this.#rows = 1;
        return { kind: 'go-on' };
      case 'more':
      case 'exhausted':
      case 'stale':
        if (taken > 0) this.#grow(plan, textBytes / taken);
        return { kind: 'go-on' };
    }
  }

  #grow(plan: ReadPlan, rowBytes: number): void {
    this.#pageBytes *= 2;
    const fitting = Math.ceil(plan.pageBytes / Math.max(1, rowBytes));
    this.#rows = Math.min(maxPageRows, Math.max(1, Math.min(fitting, 4 * Math.max(this.#rows, 1))));
  }

  /** Another failure of the entry at `key`: how often, and for how long, it has failed now. */
  strike(key: string): { count: number; forMs: number } {
    const now = performance.now();
    const { key: before } = this.#strikes;
    if (before !== key) Object.assign(this.#strikes, { key, count: 0, since: now });
    this.#strikes.count++;
    return { count: this.#strikes.count, forMs: now - this.#strikes.since };
  }
}
