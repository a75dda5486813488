/** What status files say of ledgers: it is asked for every few seconds, and seldom changes. */
import { readSignature } from './fileCache.ts';
import { parseStatus } from './renderStatus.ts';

export class LedgerFiles {
  readonly #readText: (path: string) => Promise<string | null>;
  /** By path. */
  readonly #known = new Map<string, { readonly signature: string; readonly ledger: unknown }>();

  /** `readText` returns null for a file that is not there, and rejects when it cannot be read. */
  constructor(readText: (path: string) => Promise<string | null>) {
    this.#readText = readText;
  }

  /** As the file says now, unchecked; undefined: nothing, or it cannot be read. Never throws. */
  async read(path: string): Promise<unknown> {
    // Before the text: a file that changes in between is read again.
    const signature = await readSignature(path);
    const known = this.#known.get(path);
    if (signature !== null && known?.signature === signature) return known.ledger;
    const text = await this.#readText(path).catch(() => null);
    const ledger = parseStatus(text)?.ledger;
    // What could not be read is tried again: it may name a root that the database must still have.
    if (signature === null || text === null) this.#known.delete(path);
    else this.#known.set(path, { signature, ledger });
    return ledger;
  }

  /** Forgets all other files. */
  keepOnly(paths: ReadonlySet<string>): void {
    for (const path of this.#known.keys()) if (!paths.has(path)) this.#known.delete(path);
  }
}
