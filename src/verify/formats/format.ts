/** What a format of copies must say and do; the rows are in `formatTable.ts`. */
import type { CopyRecord } from '../copyRecord.ts';

export type ReadResult =
  | { readonly kind: 'read' }
  /** The record goes on in the next line (CSV only). */
  | { readonly kind: 'more' }
  /** One sentence without its beginning: what the line lacks. */
  | { readonly kind: 'unreadable'; readonly problem: string };

/** Reads one line of a file: calls `see` with each record in it. */
export type ReadLine = (line: Buffer, see: (record: CopyRecord) => void) => ReadResult;

export interface CopyFormat {
  readonly name: string;
  /** What people know it by. */
  readonly title: string;
  /** Whether a file that begins with this line is of the format; `json` is the line parsed, undefined when it is not JSON. */
  readonly recognizes: (line: Buffer, json: unknown) => boolean;
  /** A reader for one file. */
  readonly makeReader: () => ReadLine;
}

export const wasRead: ReadResult = { kind: 'read' };

export function unreadable(problem: string): ReadResult {
  return { kind: 'unreadable', problem };
}

/** The value of a line of JSON; undefined when it is none. */
export function parseJson(line: Buffer | string): unknown {
  try {
    return JSON.parse(String(line));
  } catch {
    return undefined;
  }
}
