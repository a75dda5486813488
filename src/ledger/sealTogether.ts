/**
 * Seals what many organizations have to seal, where each has a few entries: a window for each, by three or four statements for all. One by
 * one they would take as many each, which is most of the work where thousands of organizations write a little.
 */
import { restAfter } from '../basics/wait.ts';
import { ensureLedgers, type LedgerRow } from '../database/ledgers.ts';
import {
  type OpenedLedger,
  openWindows,
  releaseLedgers,
  type Sealing,
  sealPages,
} from '../database/ledgerWindow.ts';
import type { Database } from '../database/pool.ts';
import { type PageLimits, readFirstPages } from '../database/readWindow.ts';
import { BundleTree } from './bundleTree.ts';
import type { Fingerprinter } from './fingerprint.ts';
import { LeafPage } from './leafPage.ts';
import { claimMs, type SealOptions, type Turn } from './sealOrganization.ts';

/** So that one statement stays short. */
export const mostTogether = 100;
/** An organization with more than these, or a larger one, has a turn of its own. */
const firstPage: PageLimits = { rows: 32, rowBytes: 1024 * 1024, timeoutMs: 5_000 };
/** The same by their size: a hundred then take no longer than a page of one. */
const mostBytes = 64 * 1024;

type Opened = Extract<OpenedLedger, { kind: 'window' }>;

/**
 * The turns of those of `organizations` that are over with it. Nothing has changed for the others: each needs a turn of its own, which says
 * why if something is wrong.
 *
 * @throws the database's error when it is away.
 */
export async function sealTogether(
  organizations: readonly string[],
  { db, name, fingerprinter, signal, share, onSealed }: SealOptions,
): Promise<ReadonlyMap<string, Turn>> {
  const startedAt = performance.now();
  const turns = new Map<string, Turn>();
  const windows: Opened[] = [];
  const open = async (names: readonly string[]): Promise<string[]> => {
    const without: string[] = [];
    for (const [organization, opened] of await openWindows(db, names, claimMs)) {
      if (opened.kind === 'none') without.push(organization);
      else if (opened.kind === 'window') windows.push(opened);
      else if (opened.kind === 'nothing-new') turns.set(organization, 'done');
      else if (opened.kind !== 'moved') turns.set(organization, opened.kind);
    }
    return without;
  };
  const openAll = async (): Promise<void> => {
    const without = await open(organizations);
    if (without.length === 0) return;
    await ensureLedgers(db, without, name);
    await open(without);
  };
  await unlessFaulty(openAll(), undefined);
  for (const { ledger, leaves } of await unlessFaulty(sealFirstPages(db, windows, fingerprinter), [])) {
    turns.set(ledger.organization, 'done');
    onSealed?.(leaves, ledger);
  }
  const rest = windows.map(({ ledger }) => ledger.organization).filter((name) => !turns.has(name));
  if (rest.length > 0) await releaseLedgers(db, rest);
  await restAfter(startedAt, share, signal);
  return turns;
}

/** `otherwise`: with one of them, or with any, it cannot be done now, so it was done with none. Turns of their own tell which it is. */
async function unlessFaulty<T>(work: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work;
  } catch {
    return otherwise;
  }
}

/** Those whose window was new, and is sealed as a whole. */
async function sealFirstPages(
  db: Database,
  windows: readonly Opened[],
  fingerprinter: Fingerprinter,
): Promise<ReadonlyArray<{ readonly ledger: LedgerRow; readonly leaves: number }>> {
  const reading = windows.flatMap(({ ledger, isNew }) => {
    const tree = isNew ? BundleTree.decode(ledger.size, ledger.state) : null;
    return tree ? [{ ledger, tree, page: new LeafPage(tree) }] : [];
  });
  if (reading.length === 0) return [];
  const pages = await readFirstPages(
    db,
    reading.map(({ ledger, page }) => {
      let left = mostBytes;
      return {
        stream: ledger,
        onEntry: (entry, _matches, bytes) => {
          left -= bytes;
          if (left < 0) return 'stop';
          const { uid, id, xid } = entry;
          page.add({ entryId: id, uid, fingerprint: fingerprinter.fingerprint(entry) }, { xid, id });
          return 'taken';
        },
      };
    }),
    firstPage,
  );
  const sealings = reading
    .filter((_, n) => pages[n]?.end.kind === 'exhausted')
    .map(
      ({ ledger, tree, page }): Sealing => ({
        from: ledger,
        size: tree.size,
        state: tree.encode(),
        to: page.last,
        parts: page.parts(),
        finishes: true,
      }),
    );
  if (sealings.length === 0) return [];
  const answers = await sealPages(db, sealings, claimMs);
  return sealings.flatMap(({ from, size }) => {
    const answer = answers.get(from.id);
    return answer?.kind === 'sealed' ? [{ ledger: answer.ledger, leaves: size - from.size }] : [];
  });
}
