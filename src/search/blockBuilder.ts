/** Cuts consecutive entries into blocks. */
import type { Block, IndexedEntry } from '../database/searchIndex.ts';
import { GramSet, gramVersion } from './grams.ts';

/**
 * A block is read whole when it may hold a match. Larger blocks hold too many sequences: a thousand entries with hexadecimal ids
 * hold most sequences of four digits. Smaller blocks mean more probes.
 */
export const entriesPerBlock = 500;
export const textBytesPerBlock = 512 * 1024;

export class BlockBuilder {
  readonly #grams = new GramSet();
  readonly #entriesPerBlock: number;
  #open: Omit<Block, 'grams' | 'gramVersion'> | null = null;
  /** The open block holds entries that cannot be searched, so it may hold anything. */
  #isWild = false;
  #closed: Block[] = [];

  constructor(mostEntries = entriesPerBlock) {
    this.#entriesPerBlock = mostEntries;
  }

  /** Call it in (xid, id) order; the entry's text is not kept. Entries without text get their own blocks, which every search reads. */
  add({ xid, id, occurredAt, text }: IndexedEntry): void {
    if (this.#open && this.#isWild !== (text === null)) this.#close();
    this.#isWild = text === null;
    const open = this.#open;
    this.#open = {
      first: open?.first ?? { xid, id },
      last: { xid, id },
      entries: (open?.entries ?? 0) + 1,
      textBytes: (open?.textBytes ?? 0) + (text?.length ?? 0),
      oldest: open && open.oldest < occurredAt ? open.oldest : occurredAt,
      newest: open && open.newest > occurredAt ? open.newest : occurredAt,
    };
    if (text !== null) this.#grams.add(text);
    if (this.#open.entries >= this.#entriesPerBlock || this.#open.textBytes >= textBytesPerBlock)
      this.#close();
  }

  /** Returns the blocks closed since the last call. The open block is discarded, or with `withRest` closed as it is. */
  take(withRest: boolean): Block[] {
    if (withRest) this.#close();
    else if (this.#open) {
      this.#open = null;
      this.#grams.take();
    }
    const blocks = this.#closed;
    this.#closed = [];
    return blocks;
  }

  #close(): void {
    if (!this.#open) return;
    const grams = this.#grams.take();
    this.#closed.push({ ...this.#open, grams: this.#isWild ? null : grams, gramVersion });
    this.#open = null;
  }
}
