/** What `verify` finds, and how it says it: a row for each kind. */

/** Where a record is. */
export interface Place {
  readonly file: string;
  /** From 1; null: it has no lines. */
  readonly line: number | null;
}

/** A sealed entry. */
export interface SealedName {
  /** Its number in the ledger, from 1. */
  readonly number: number;
  readonly entryId: string;
  readonly uid: string;
}

export type Finding =
  | {
      readonly kind: 'changed';
      readonly entry: SealedName;
      readonly at: Place;
      /** Another copy of it came before and is as it was sealed. */
      readonly isRepeat: boolean;
    }
  | { readonly kind: 'missing'; readonly entry: SealedName }
  | {
      readonly kind: 'replaced';
      readonly entry: SealedName;
      readonly at: Place;
      /** What the record in its place has for a uid. */
      readonly uid: string;
    }
  | { readonly kind: 'not-sealed'; readonly entryId: string | null; readonly uid: string; readonly at: Place }
  | { readonly kind: 'gap'; readonly stream: string; readonly first: number; readonly last: number }
  | { readonly kind: 'unreadable'; readonly at: Place; readonly problem: string }
  | { readonly kind: 'cut'; readonly at: Place }
  /** The ledger in the database is not the one that the table is compared with. One sentence. */
  | { readonly kind: 'other-ledger'; readonly problem: string };

export type FindingKind = Finding['kind'];

/** Only a cut last line is no proof that something is wrong: what it held is here another time, or named as missing. */
export const isWrong = (kind: FindingKind): boolean => kind !== 'cut';

const describe: { readonly [Kind in FindingKind]: (finding: Extract<Finding, { kind: Kind }>) => string } = {
  changed: ({ entry, at, isRepeat }) =>
    `${name(entry)} is not as it was sealed: ${where(at)}${isRepeat ? '; another copy of it is' : ''}.`,
  missing: ({ entry }) => `${name(entry)} is missing.`,
  replaced: ({ entry, at, uid }) =>
    `${name(entry)} is missing, and a record with its id and another uid (${uid || 'none'}) is in its place: ${where(at)}.`,
  'not-sealed': ({ entryId, uid, at }) =>
    `A record that is not sealed (id ${entryId ?? 'unknown'}, uid ${uid || 'none'}): ${where(at)}. It slipped in, or is newer than the checkpoint.`,
  gap: ({ stream, first, last }) =>
    first === last
      ? `Stream ${stream} has no record ${count(first)}.`
      : `Stream ${stream} has no records ${count(first)} to ${count(last)}.`,
  unreadable: ({ at, problem }) => `${where(at)} cannot be read: ${problem}`,
  cut: ({ at }) => `${where(at)} is cut off: the end of the file is missing, or is still being written.`,
  'other-ledger': ({ problem }) => problem,
};

/** One clear sentence. */
export function describeFinding<Kind extends FindingKind>(finding: Extract<Finding, { kind: Kind }>): string {
  return describe[finding.kind as Kind](finding);
}

/** With separators: 1,203,441. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

function name({ number, entryId, uid }: SealedName): string {
  return `Entry number ${count(number)} (id ${entryId}, uid ${uid})`;
}

function where({ file, line }: Place): string {
  return line === null ? file : `${file}, line ${count(line)}`;
}
