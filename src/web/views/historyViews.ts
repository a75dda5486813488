/** The data of the drawer that says how requests to a destination went. */
import type { BarsView } from './barsViews.ts';
import type { ExportFrame, Tone } from './exportViews.ts';

export interface HistoryView extends BarsView {
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
  /** One sentence each; empty: nothing was kept yet. */
  readonly summary: readonly string[];
  /** The newest first. */
  readonly attempts: readonly AttemptView[];
  /** RFC 3339: when the last of them was added; null: never. */
  readonly writtenAt: string | null;
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
