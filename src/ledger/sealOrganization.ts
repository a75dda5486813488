/** Seals what an organization has to seal, page by page, for one turn. */

import { restAfter } from '../basics/wait.ts';
import { addFindings } from '../database/ledgerFindings.ts';
import { ensureLedgers, type LedgerRow } from '../database/ledgers.ts';
import { moveLedgerCluster, openWindow, releaseLedgers, sealPage } from '../database/ledgerWindow.ts';
import type { Database } from '../database/pool.ts';
import type { Window } from '../model/stream.ts';
import { BundleTree } from './bundleTree.ts';
import type { Fingerprinter } from './fingerprint.ts';
import { LeafPage } from './leafPage.ts';
import { LeafReader } from './readLeaves.ts';

export interface SealOptions {
  readonly db: Database;
  /** The setting LEDGER_NAME. */
  readonly name: string;
  readonly fingerprinter: Fingerprinter;
  readonly signal: AbortSignal;
  /** The share of its time that it works; it waits the rest. */
  readonly share: number;
  /** After so long it is another organization's turn. */
  readonly turnMs: number;
  /** Called with each page that is sealed. */
  readonly onSealed?: (entries: number, ledger: LedgerRow) => void;
}

export type Turn =
  /** Everything that was there when it began is sealed. */
  | 'done'
  /** There is more, or another collector works on it. */
  | 'more'
  | 'claimed'
  /** Nothing is sealed until a person acts. */
  | 'stopped'
  /** Its last leaves are not as its row says. */
  | 'damaged';

/** Longer than a page takes. After a crash, the organization waits this long. */
export const claimMs = 10_000;
/** Steps through other clusters, and lost races, before it is another organization's turn. */
const mostSteps = 100;

/** @throws the database's error. */
export async function sealOrganization(organization: string, options: SealOptions): Promise<Turn> {
  const { db, name, signal, turnMs } = options;
  const endsAt = performance.now() + turnMs;
  for (let step = 0; step < mostSteps && !signal.aborted && performance.now() < endsAt; step++) {
    const opened = await openWindow(db, organization, claimMs);
    switch (opened.kind) {
      case 'none':
        await ensureLedgers(db, [organization], name);
        continue;
      case 'moved':
        await moveLedgerCluster(db, opened.ledger);
        continue;
      case 'nothing-new':
        return 'done';
      case 'claimed':
      case 'stopped':
        return opened.kind;
      case 'window': {
        const end = await sealWindow(opened.ledger, options, endsAt);
        if (end === 'finished' && opened.isNew) return 'done';
        if (end === 'finished') continue;
        await releaseLedgers(db, [organization]);
        if (end !== 'stale') return end;
      }
    }
  }
  return 'more';
}

type WindowLedger = LedgerRow & { readonly window: Window };

async function sealWindow(
  opened: WindowLedger,
  { db, fingerprinter, signal, share, onSealed }: SealOptions,
  endsAt: number,
): Promise<'finished' | 'stale' | 'damaged' | 'more'> {
  const reader = new LeafReader(fingerprinter);
  let ledger = opened;
  while (!signal.aborted && performance.now() < endsAt) {
    const startedAt = performance.now();
    const tree = BundleTree.decode(ledger.size, ledger.state);
    if (tree === null) return 'damaged';
    const page = new LeafPage(tree);
    const read = await reader.read(db, ledger, ledger.position, page);
    if (read.kind === 'stale') return 'stale';
    const { finishes } = read;
    if (page.leaves > 0 || finishes) {
      const { size } = tree;
      const sealing = {
        from: ledger,
        size,
        state: tree.encode(),
        to: page.last,
        parts: page.parts(),
        finishes,
      };
      const sealed = await sealPage(db, sealing, claimMs);
      if (sealed.kind !== 'sealed') return sealed.kind;
      if (read.unreadable.length > 0)
        await addFindings(
          db,
          ledger.id,
          read.unreadable.map((entryId) => ({ kind: 'unreadable', entryId, number: size })),
        );
      onSealed?.(page.leaves, sealed.ledger);
      await restAfter(startedAt, share, signal);
      if (finishes || sealed.ledger.window === null) return 'finished';
      ledger = { ...sealed.ledger, window: sealed.ledger.window };
    }
  }
  return 'more';
}
