/**
 * Compares copies of entries with the sealed ones. They are matched by uid: a copy may be in any order and hold repeats, which
 * receivers are allowed to have.
 */
import { unreadFingerprint } from '../ledger/readLeaves.ts';
import type { CopyRecord } from './copyRecord.ts';
import type { Finding, Place, SealedName } from './findings.ts';
import { LetGoNumbers } from './letGo.ts';
import { type SealedEntries, seenAs } from './sealedEntries.ts';
import { Sequences, type StreamNumbers } from './sequences.ts';
import { formatUid, parseUid } from './uid.ts';

/** Why a sealed entry need not be in a copy, as the database says. */
export type Excuse = 'excluded' | 'before-start' | 'pending' | 'parked';

/** What the database knows of what a copy lacks, or has besides. */
export interface Explain {
  /** null: the copy should have it. @param streams ids of the streams whose records are in the copy. */
  missing(entry: SealedName, streams: ReadonlySet<string>): Promise<Excuse | null>;
  /** Whether a record is of an entry that is only newer than the checkpoint. */
  isNewer(uid: string, entryId: string | null): Promise<boolean>;
}

export interface Totals {
  /** Records read, without test records. */
  readonly records: number;
  /** Records of an entry that another record before it was of as well. */
  readonly repeats: number;
  readonly testRecords: number;
  /** Sealed entries of which no record was seen, but for those that retention let go of. */
  readonly missing: number;
  /** Sealed entries that are not here because retention let go of them, as a sealed entry here says. */
  readonly letGo: number;
  /** The same, as only the database says. */
  readonly letGoUntold: number;
  /** Records whose contents the copy cannot show as they were. */
  readonly withoutContents: number;
  /** Sealed entries that are here, and that could not be read when they were sealed. */
  readonly sealedUnread: number;
  /** Sealed entries that are not here for a reason, by that. */
  readonly excused: Readonly<Partial<Record<Excuse, number>>>;
  /** Records of entries that are newer than the checkpoint. */
  readonly newer: number;
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
/** Missing entries that are asked about at once. */
const askedAtOnce = 16;

export class Comparison {
  readonly #sealed: SealedEntries;
  readonly #ledger: string;
  readonly #tell: (finding: Finding) => void;
  readonly #letGo = new LetGoNumbers();
  readonly #letGoUntold = new LetGoNumbers();
  readonly #sequences = new Sequences();
  readonly #strangers = new Set<Stranger>();
  #records = 0;
  #repeats = 0;
  #testRecords = 0;
  #withoutContents = 0;
  #sealedUnread = 0;

  /**
   * @param ledger its id, the last part of its origin.
   * @param tell is called for each finding as soon as it is certain.
   */
  constructor(sealed: SealedEntries, ledger: string, tell: (finding: Finding) => void) {
    this.#sealed = sealed;
    this.#ledger = ledger;
    this.#tell = tell;
  }

  get records(): number {
    return this.#records;
  }

  /** Whether the ledger has an entry of this uid and this id. */
  has(uid: Uint32Array, entryId: string): boolean {
    return this.#sealed.has(uid, entryId);
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
    const index = uid === null ? -1 : this.#sealed.find(uid, record.entryId);
    if (index < 0) this.#addStranger({ uid: record.uid, entryId: record.entryId, at });
    else this.#judge(index, record, at);
  }

  /** Says that the database let go of these numbers. */
  addLetGo(first: number, last: number): void {
    this.#letGoUntold.add(first, last);
  }

  /**
   * Names what is missing, replaced or has gaps.
   *
   * @param namesMissing false: a filter is known to leave entries out.
   * @param onProgress is called with how many missing entries were asked about.
   */
  async finish(
    namesMissing: boolean,
    explain: Explain | null = null,
    onProgress: (asked: number) => void = () => {},
  ): Promise<Totals> {
    const streams = this.#sequences.streams();
    const seen = new Set(streams.map(({ stream }) => stream));
    const ask = explain && seen.size > 0 ? (entry: SealedName) => explain.missing(entry, seen) : null;
    const absent = await this.#tellMissing(namesMissing, ask, onProgress);
    let newer = 0;
    for (const { uid, entryId, at } of this.#strangers)
      if (await explain?.isNewer(uid, entryId)) newer++;
      else this.#tell({ kind: 'not-sealed', uid, entryId, at });
    for (const { stream, gaps } of streams)
      for (const [first, last] of gaps) this.#tell({ kind: 'gap', stream, first, last });
    return {
      records: this.#records,
      repeats: this.#repeats,
      testRecords: this.#testRecords,
      withoutContents: this.#withoutContents,
      sealedUnread: this.#sealedUnread,
      ...absent,
      newer,
      streams,
    };
  }

  #judge(index: number, record: CopyRecord, at: Place): void {
    const before = this.#sealed.seen(index);
    if (before !== seenAs.nothing) this.#repeats++;
    const leaf = this.#sealed.leafAt(index);
    const isUnread = Buffer.compare(leaf.fingerprint, unreadFingerprint) === 0;
    if (isUnread && before === seenAs.nothing) this.#sealedUnread++;
    const isAsSealed =
      (record.entryId === null || record.entryId === String(leaf.entryId)) &&
      (record.matches === null || isUnread || record.matches(leaf.fingerprint));
    this.#sealed.markSeen(index, isAsSealed ? seenAs.sealed : seenAs.changed);
    if (isAsSealed) {
      if (record.letGo && record.matches !== null && !isUnread && record.letGo.ledger === this.#ledger)
        this.#letGo.addText(record.letGo.numbers, index);
      return;
    }
    this.#tell({ kind: 'changed', entry: this.#nameOf(index), at, isRepeat: before === seenAs.sealed });
  }

  #addStranger(stranger: Stranger): void {
    if (this.#strangers.size < maxStrangers) this.#strangers.add(stranger);
    else this.#tell({ kind: 'not-sealed', ...stranger });
  }

  async #tellMissing(
    namesMissing: boolean,
    ask: ((entry: SealedName) => Promise<Excuse | null>) | null,
    onProgress: (asked: number) => void,
  ): Promise<Pick<Totals, 'missing' | 'letGo' | 'letGoUntold' | 'excused'>> {
    const byId = new Map([...this.#strangers].map((stranger) => [stranger.entryId, stranger]));
    const isLetGo = this.#letGo.ascending();
    const isLetGoUntold = this.#letGoUntold.ascending();
    const excused: Partial<Record<Excuse, number>> = {};
    let [missing, letGo, letGoUntold, asked] = [0, 0, 0, 0];
    const judge = async (batch: ReadonlyArray<{ entry: SealedName; other?: Stranger }>): Promise<void> => {
      const excuses = await Promise.all(
        batch.map(({ entry, other }) => (other ? null : (ask?.(entry) ?? null))),
      );
      batch.forEach(({ entry, other }, i) => {
        const excuse = excuses[i];
        if (excuse) {
          excused[excuse] = (excused[excuse] ?? 0) + 1;
          return;
        }
        missing++;
        if (other) this.#tell({ kind: 'replaced', entry, at: other.at, uid: other.uid });
        else if (namesMissing) this.#tell({ kind: 'missing', entry });
      });
      asked += batch.length;
      onProgress(asked);
    };
    let batch: Array<{ entry: SealedName; other?: Stranger }> = [];
    for (const index of this.#sealed.unseen()) {
      const entry = this.#nameOf(index);
      const other = byId.get(entry.entryId);
      const [isTold, isUntold] = [isLetGo(entry.number), isLetGoUntold(entry.number)];
      if (other !== undefined) {
        byId.delete(entry.entryId);
        this.#strangers.delete(other);
        batch.push({ entry, other });
      } else if (isTold) letGo++;
      else if (isUntold) letGoUntold++;
      else batch.push({ entry });
      if (batch.length < askedAtOnce) continue;
      await judge(batch);
      batch = [];
    }
    await judge(batch);
    return { missing, letGo, letGoUntold, excused };
  }

  #nameOf(index: number): SealedName {
    const { entryId, uid } = this.#sealed.leafAt(index);
    return { number: index + 1, entryId: String(entryId), uid: formatUid(uid) };
  }
}
