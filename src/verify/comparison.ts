/**
 * Compares copies of entries with the sealed ones. They are matched by uid: a copy may be in any order and hold repeats, which
 * receivers are allowed to have.
 */
import type { CopyRecord } from './copyRecord.ts';
import type { Finding, Place, SealedName } from './findings.ts';
import { type SealedEntries, seenAs } from './sealedEntries.ts';
import { Sequences, type StreamNumbers } from './sequences.ts';
import { formatUid, parseUid } from './uid.ts';

export interface Totals {
  /** Records read, without test records. */
  readonly records: number;
  /** Records of an entry that another record before it was of as well. */
  readonly repeats: number;
  readonly testRecords: number;
  /** Sealed entries of which no record was seen. */
  readonly missing: number;
  /** Records whose contents the copy cannot show as they were. */
  readonly withoutContents: number;
  readonly streams: readonly StreamNumbers[];
}

/** A record that is not sealed; whether it stands for a missing entry shows only at the end. */
interface Stranger {
  readonly uid: string;
  readonly entryId: string | null;
  readonly at: Place;
}

/** Beyond so many, strangers are told at once. */
const maxStrangers = 100_000;

export class Comparison {
  readonly #sealed: SealedEntries;
  readonly #tell: (finding: Finding) => void;
  readonly #sequences = new Sequences();
  readonly #strangers = new Set<Stranger>();
  #records = 0;
  #repeats = 0;
  #testRecords = 0;
  #withoutContents = 0;

  /** @param tell is called for each finding as soon as it is certain. */
  constructor(sealed: SealedEntries, tell: (finding: Finding) => void) {
    this.#sealed = sealed;
    this.#tell = tell;
  }

  get records(): number {
    return this.#records;
  }

  see(record: CopyRecord, at: Place): void {
    if (record.isTest) {
      this.#testRecords++;
      return;
    }
    this.#records++;
    if (record.place !== null) this.#sequences.add(record.place.stream, record.place.number);
    if (record.matches === null) this.#withoutContents++;
    const uid = parseUid(record.uid);
    const index = uid === null ? -1 : this.#sealed.find(uid);
    if (index < 0) this.#addStranger({ uid: record.uid, entryId: record.entryId, at });
    else this.#judge(index, record, at);
  }

  /** Names what is missing, replaced or has gaps. @param namesMissing false: a filter is known to leave entries out. */
  finish(namesMissing: boolean): Totals {
    const missing = this.#tellMissing(namesMissing);
    for (const { uid, entryId, at } of this.#strangers) this.#tell({ kind: 'not-sealed', uid, entryId, at });
    const streams = this.#sequences.streams();
    for (const { stream, gaps } of streams)
      for (const [first, last] of gaps) this.#tell({ kind: 'gap', stream, first, last });
    return {
      records: this.#records,
      repeats: this.#repeats,
      testRecords: this.#testRecords,
      withoutContents: this.#withoutContents,
      missing,
      streams,
    };
  }

  #judge(index: number, record: CopyRecord, at: Place): void {
    const before = this.#sealed.seen(index);
    if (before !== seenAs.nothing) this.#repeats++;
    const leaf = this.#sealed.leafAt(index);
    const isAsSealed =
      record.matches === null
        ? record.entryId === null || record.entryId === String(leaf.entryId)
        : record.matches(leaf.fingerprint);
    this.#sealed.markSeen(index, isAsSealed ? seenAs.sealed : seenAs.changed);
    if (isAsSealed) return;
    this.#tell({ kind: 'changed', entry: this.#nameOf(index), at, isRepeat: before === seenAs.sealed });
  }

  #addStranger(stranger: Stranger): void {
    if (this.#strangers.size < maxStrangers) this.#strangers.add(stranger);
    else this.#tell({ kind: 'not-sealed', ...stranger });
  }

  #tellMissing(namesMissing: boolean): number {
    const byId = new Map([...this.#strangers].map((stranger) => [stranger.entryId, stranger]));
    let missing = 0;
    for (const index of this.#sealed.unseen()) {
      missing++;
      const entry = this.#nameOf(index);
      const other = byId.get(entry.entryId);
      if (other !== undefined) {
        byId.delete(entry.entryId);
        this.#strangers.delete(other);
        this.#tell({ kind: 'replaced', entry, at: other.at, uid: other.uid });
      } else if (namesMissing) this.#tell({ kind: 'missing', entry });
    }
    return missing;
  }

  #nameOf(index: number): SealedName {
    const { entryId, uid } = this.#sealed.leafAt(index);
    return { number: index + 1, entryId: String(entryId), uid: formatUid(uid) };
  }
}
