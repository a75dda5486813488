/**
 * Reads one page of a ledger's window as leaves. An entry that cannot be read at all is sealed without its contents, with a fingerprint
 * of zeros: it neither holds up the others nor stays out in silence.
 */
import { readEntryUid } from '../database/ledgerBundles.ts';
import type { WindowOwner } from '../database/pageQuery.ts';
import type { Database } from '../database/pool.ts';
import { type PageLimits, type PageResult, readNextHead, readPage } from '../database/readWindow.ts';
import { rowFaultOf } from '../database/unreadable.ts';
import type { Position } from '../model/stream.ts';
import type { Fingerprinter } from './fingerprint.ts';
import type { LeafPage } from './leafPage.ts';
import { tileWidth } from './tiles.ts';

/** About a tenth of a second of work. */
const wholePage: PageLimits = { rows: 15 * tileWidth, rowBytes: 1024 * 1024 };
/** A page ends with the entry that passes so many bytes of text. */
const pageBytes = 8 * 1024 * 1024;
/** An entry of more text is not read: no receiver takes it, and a few of them would fill the memory. */
const largestRow: PageLimits = { rows: 1, rowBytes: 32 * 1024 * 1024, timeoutMs: 55_000 };
/** So often a row that seems damaged is read before it is sealed without contents. */
const mostTries = 3;

/** The fingerprint of an entry that could not be read. */
export const unreadFingerprint: Uint8Array = Buffer.alloc(32);

export type PageRead =
  | { readonly kind: 'read'; readonly finishes: boolean; readonly unreadable: readonly bigint[] }
  /** The row is not at this window any more. */
  | { readonly kind: 'stale' };

/** What was learned about the rows that come next; one for each turn. */
export class LeafReader {
  readonly #fingerprinter: Fingerprinter;
  #limits = wholePage;
  #tries = 0;

  constructor(fingerprinter: Fingerprinter) {
    this.#fingerprinter = fingerprinter;
  }

  /**
   * Adds the entries after `after` to `page`; possibly none, and then there are more.
   *
   * @throws the database's error, if no entry causes it, or one that may pass.
   */
  async read(db: Database, owner: WindowOwner, after: Position | null, page: LeafPage): Promise<PageRead> {
    let bytes = 0;
    const limits = this.#limits;
    const aligned = limits === wholePage ? { ...limits, rows: limits.rows + page.leavesToFull } : limits;
    const { taken, end } = await readPage(db, owner, after, aligned, (entry, _matches, size) => {
      if (bytes >= pageBytes) return 'stop';
      bytes += size;
      const { uid, id, xid } = entry;
      page.add({ entryId: id, uid, fingerprint: this.#fingerprinter.fingerprint(entry) }, { xid, id });
      return 'taken';
    });
    if (taken > 0) this.#tries = 0;
    switch (end.kind) {
      case 'stale':
        return { kind: 'stale' };
      case 'more':
      case 'exhausted':
        this.#limits = wholePage;
        return { kind: 'read', finishes: end.kind === 'exhausted', unreadable: [] };
      case 'oversize':
      case 'broken':
        return this.#faulty(db, owner, after, page, taken, end);
    }
  }

  /** The next row, or one that is read together with it, cannot be read: it is tried alone, and then given up. */
  async #faulty(
    db: Database,
    owner: WindowOwner,
    after: Position | null,
    page: LeafPage,
    taken: number,
    end: Extract<PageResult['end'], { kind: 'oversize' | 'broken' }>,
  ): Promise<PageRead> {
    const wasAlone = this.#limits === largestRow;
    this.#limits = largestRow;
    if (taken > 0 || !wasAlone) return { kind: 'read', finishes: false, unreadable: [] };
    if (end.kind === 'broken') {
      const fault = rowFaultOf(end.error);
      if (fault === null || fault === 'memory') throw end.error;
      if (++this.#tries < mostTries) return { kind: 'read', finishes: false, unreadable: [] };
    }
    const head = await readNextHead(db, owner, after);
    if (head === 'stale') return { kind: 'stale' };
    this.#limits = wholePage;
    this.#tries = 0;
    if (head === null) return { kind: 'read', finishes: true, unreadable: [] };
    const uid = await readEntryUid(db, head.id);
    page.add({ entryId: head.id, uid, fingerprint: unreadFingerprint }, head);
    return { kind: 'read', finishes: false, unreadable: [head.id] };
  }
}
