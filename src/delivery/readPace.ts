/**
 * Decides how much of a window is read at once: little after a failure and where rows are large, and a row that needs memory of
 * its own alone.
 *
 * What was learned about a stream's rows outlives a run, and a failure of the database.
 */
import type { PageEnd, PageLimits, PageResult } from '../database/readWindow.ts';
import { rowFaultOf } from '../database/unreadable.ts';

export interface ReadPlan extends PageLimits {
  /** A page ends with the entry that passes so many bytes of text. */
  readonly pageBytes: number;
  readonly rowBytes: number;
  /** Memory that reading it may take. */
  readonly memoryBytes: number;
  /** It cannot be read with less memory. */
  readonly isLargeRow: boolean;
  /** A few entries are expected: it is read together with what other streams have. */
  readonly isTrickle: boolean;
}

/** Why the next entry cannot be read, or so it seems. */
export type Cause = Extract<PageEnd, { kind: 'oversize' | 'broken' }>;

/** An entry of more text than this is not read: no receiver takes it, and one alone would fill a collector's memory. */
export const maxRowBytes = 32 * 1024 * 1024;

const firstPageRows = 500;
/** A single record is looked for among a few: the filter may leave the next ones out. */
const minSingleRows = 16;
const maxPageRows = 4_000;
/** A window of up to half as many entries makes the next one a trickle, of which no more are read at once. */
export const trickleRows = 32;
const tricklePageBytes = 64 * 1024;
/** A row up to this is read as it comes. A larger one costs a connection, and is then read alone. */
export const plainRowBytes = 1024 * 1024;
const leastPageBytes = 64 * 1024;
/** Memory that a large row takes: as it arrives, put together, and encoded. */
export function rowMemoryBytes(rowBytes: number): number {
  return 3 * rowBytes;
}

const largeRowTimeoutMs = 300_000;

export class ReadPace {
  #rows = firstPageRows;
  /** Less than a full page after failures. */
  #pageBytes = Number.POSITIVE_INFINITY;
  /** Size of the next row if it is known to be large; 0: nothing is known. */
  #largeBytes = 0;
  /** The window before had a few entries, and could be read. */
  #isTrickle = false;
  #hasReadOfWindow = false;
  /** The row that failed last, by position, and how often it did since when. */
  readonly #strikes = { key: '', count: 0, since: 0 };

  /** The plan of the next page, which looks for `records` at most; `isFirst`: of its window. */
  plan(pageBytes: number, records: number, isFirst: boolean): ReadPlan {
    if (this.#largeBytes > 0) {
      const rowBytes = Math.min(maxRowBytes, this.#largeBytes);
      const memoryBytes = rowMemoryBytes(rowBytes);
      const timeoutMs = largeRowTimeoutMs;
      return {
        rows: 1,
        pageBytes: rowBytes,
        rowBytes,
        memoryBytes,
        isLargeRow: true,
        isTrickle: false,
        timeoutMs,
      };
    }
    if (this.#isTrickle && isFirst) {
      const memoryBytes = Math.min(pageBytes, tricklePageBytes);
      return {
        rows: trickleRows,
        pageBytes: memoryBytes,
        rowBytes: plainRowBytes,
        memoryBytes,
        isLargeRow: false,
        isTrickle: true,
      };
    }
    const bytes = Math.min(pageBytes, this.#pageBytes);
    const rows = Math.min(this.#rows, Math.max(minSingleRows, records));
    const rowBytes = Math.max(plainRowBytes, bytes);
    return { rows, pageBytes: bytes, rowBytes, memoryBytes: bytes, isLargeRow: false, isTrickle: false };
  }

  /** Nothing was read: the next page is smaller. */
  failed(): void {
    this.#isTrickle = false;
    this.#rows = Math.max(1, Math.floor(this.#rows / 4));
    const bytes = Number.isFinite(this.#pageBytes) ? this.#pageBytes : leastPageBytes * 16;
    this.#pageBytes = Math.max(leastPageBytes, Math.floor(bytes / 4));
  }

  /** Learns from a page that was read. Returns why the entry behind it cannot be read; null: read on. @throws an error that no entry causes. */
  ended(plan: ReadPlan, { taken, end }: PageResult, textBytes: number): Cause | null {
    this.#largeBytes = 0;
    this.#isTrickle = end.kind === 'exhausted' && !this.#hasReadOfWindow && taken <= trickleRows / 2;
    this.#hasReadOfWindow = end.kind === 'more';
    switch (end.kind) {
      case 'oversize':
        // It is the second time, on another connection: it was not a mistake.
        if (taken === 0 && plan.rows === 1 && plan.rowBytes === maxRowBytes) return end;
        this.#largeBytes = end.bytes;
        return null;
      case 'broken':
        this.failed();
        if (taken === 0) {
          if (rowFaultOf(end.error) === null) throw end.error;
          if (plan.rows === 1) return end;
        }
        // What failed is the next row, or one that is read together with it.
        this.#rows = 1;
        return null;
      case 'more':
      case 'exhausted':
      case 'stale':
        if (taken > 0) this.#grow(plan, textBytes / taken);
        return null;
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
