/** An entry as some copy has it: a receiver's, a download of the page, or the table itself. */
import type { LetGoNote } from './letGo.ts';

export interface CopyRecord {
  /** The entry's uid as text; empty when the copy has none. */
  readonly uid: string;
  /** The entry's id in decimal; null when the copy has none. */
  readonly entryId: string | null;
  /** The stream that delivered it, and its number there; null where no stream did. */
  readonly place: { readonly stream: string; readonly number: number } | null;
  /** A test record of the page, which no ledger holds. */
  readonly isTest: boolean;
  /** Whether the contents here have this fingerprint; null when the copy cannot show the contents as they were. */
  readonly matches: ((fingerprint: Uint8Array) => boolean) | null;
  /** What it says about retention, in a copy of the table: what a receiver was sent does not go from there. */
  readonly letGo?: LetGoNote | null;
}
