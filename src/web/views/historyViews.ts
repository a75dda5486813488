/** The data of the drawer that says how requests to a destination went. */
import type { ExportFrame, Tone } from './exportViews.ts';

export interface HistoryView {
  readonly frame: ExportFrame;
  readonly name: string;
  readonly backUrl: string;
  /** Whether the numbers add up, in a sentence; empty: it has no stream yet. */
  readonly completeness: string;
  /** What to ask receivers for the numbers that they have. */
  readonly queries: ReadonlyArray<{
    readonly id: string;
    readonly receiver: string;
    readonly note: string;
    readonly text: string;
  }>;
  readonly width: number;
  readonly height: number;
  /** The oldest first. */
  readonly bars: readonly DayBarView[];
  /** One sentence each; empty: nothing was kept yet. */
  readonly summary: readonly string[];
  /** The newest first. */
  readonly attempts: readonly AttemptView[];
  /** RFC 3339: when the last of them was added; null: never. */
  readonly writtenAt: string | null;
}

export interface DayBarView {
  /** `2026-01-31`, in UTC. */
  readonly date: string;
  readonly words: string;
  /** Units of the drawing: heights of all requests, and of those that failed. */
  readonly x: number;
  readonly all: number;
  readonly failed: number;
}

export interface AttemptView {
  /** RFC 3339. */
  readonly at: string;
  readonly tone: Tone;
  /** Such as `12 entries`. */
  readonly records: string;
  /** Such as `numbers 1 to 12`; empty: not known. */
  readonly numbers: string;
  readonly result: string;
  readonly message: string;
  readonly duration: string;
}
