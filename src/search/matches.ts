/** Collects the matches of a running search, and knows how many of them are certainly the first ones. */
import { type Cursor, compareCursors, maxEntryId } from '../database/cursor.ts';
import type { Direction, Hit } from '../database/searchEntries.ts';

export interface Found {
  /** Sorted in the direction: newest first, or oldest first for `newer`. */
  readonly entries: Hit[];
  /** More matches may follow: continue from `next`. */
  readonly more: boolean;
  /**
   * RFC 3339: the budget ran out when everything back (for `newer`: forward) to here had been searched. Null: this page is complete.
   */
  readonly searchedBackTo: string | null;
  /** Null exactly when there is no more. */
  readonly next: Cursor | null;
}

/** Makes a page of hits; one more hit than `limit` means that there are more. */
export function toPage(hits: readonly Hit[], limit: number): Found {
  const entries = hits.slice(0, limit);
  const last = entries.at(-1);
  if (hits.length <= limit || !last) return { entries, more: false, searchedBackTo: null, next: null };
  return { entries, more: true, searchedBackTo: null, next: { occurredAt: last.occurredAt, id: last.id } };
}

export class Matches {
  readonly limit: number;
  readonly #direction: Direction;
  #hits: Hit[] = [];
  #place: Cursor | null = null;

  constructor(limit: number, direction: Direction) {
    this.limit = limit;
    this.#direction = direction;
  }

  /** Takes hits in any order, but each entry only once in a search. */
  add(hits: readonly Hit[]): void {
    this.#hits = [...this.#hits, ...hits].sort((a, b) => this.#compare(a, b)).slice(0, this.limit + 1);
  }

  /** Everything up to and including `place` has been searched. */
  moveTo(place: Cursor): void {
    if (this.#place === null || this.#compare(place, this.#place) > 0) this.#place = place;
  }

  /** Everything before the moment `edge` has been searched, but not necessarily that moment itself. */
  moveBefore(edge: string): void {
    this.moveTo({ occurredAt: edge, id: this.#direction === 'older' ? maxEntryId : '0' });
  }

  /** True when a full page is certain, and also that there are more. */
  isFull(): boolean {
    return this.#certain().length > this.limit;
  }

  /** The page; call it when everything has been searched or a full page is certain. */
  page(): Found {
    return toPage(this.#hits, this.limit);
  }

  /** What is certain if the search must end here. Null: it has got nowhere. */
  pageSoFar(): Found | null {
    const certain = this.#certain();
    if (certain.length > this.limit) return toPage(certain, this.limit);
    const next = this.#place;
    return next && { entries: certain, more: true, searchedBackTo: next.occurredAt, next };
  }

  #certain(): Hit[] {
    const place = this.#place;
    return place ? this.#hits.filter((hit) => this.#compare(hit, place) <= 0) : [];
  }

  /** Negative when `a` comes first in the direction. */
  #compare(a: Cursor, b: Cursor): number {
    return this.#direction === 'older' ? compareCursors(b, a) : compareCursors(a, b);
  }
}
