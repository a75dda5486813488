/**
 * Compares the table with the ledgers for ever, at a small share of the time: so a change is found without anybody asking.
 *
 * First each bundle with its rows (changed, missing, replaced, moved), then each row with the bundles (slipped in), then the leaves with the
 * tree.
 */
import { restAfter } from '../basics/wait.ts';
import { addFindings, type Finding, resolveFindings, resolveSlippedIn } from '../database/ledgerFindings.ts';
import {
  compareRows,
  findScrubbed,
  listLetGo,
  readEntriesById,
  readWholeBundle,
  type ScrubbedLedger,
  saveScrub,
} from '../database/ledgerScrub.ts';
import type { Database } from '../database/pool.ts';
import { rowFaultOf } from '../database/unreadable.ts';
import type { Logger } from '../telemetry/logger.ts';
import { BundleTree } from './bundleTree.ts';
import type { Fingerprinter } from './fingerprint.ts';
import type { Isolation } from './isolation.ts';
import { decodeLeaf, type Leaf } from './leaf.ts';
import { unreadFingerprint } from './readLeaves.ts';
import { bundlesOf, readRoots } from './readRoots.ts';
import { hashLeaves, leafBytes, rootOfTile, tileWidth } from './tiles.ts';

export interface ScrubOptions {
  readonly db: Database;
  readonly log: Logger;
  readonly fingerprinter: Fingerprinter;
  readonly signal: AbortSignal;
  readonly onScrubbed?: (entries: number) => void;
  /** The share of its time that it works. */
  readonly share: number;
  /** Between two comparisons of the same ledger. */
  readonly restMs: number;
  /** Keys are the ids of ledgers. The caller keeps it from one call to the next. */
  readonly isolation: Isolation;
}

/** For `ScrubOptions.isolation`: long enough for others to be compared meanwhile. */
export const firstScrubRetryMs = 15 * 60_000;

/** Compares the ledger that is due with the table. False: none is due. @throws the database's error when it may be about all of them. */
export async function scrubNext(options: ScrubOptions): Promise<boolean> {
  const { db, log, restMs, isolation, signal } = options;
  // Those that failed have waited longest, and are the first of all. Unless the last one was compared well, they come after the others.
  const others = isolation.isAnswering ? null : await findScrubbed(db, restMs, isolation.keys());
  const ledger = others ?? (await findScrubbed(db, restMs, isolation.waiting()));
  if (ledger === null) return false;
  const { id, organization } = ledger;
  const onFailure = (error: unknown): void =>
    log.warn(
      { err: error, organization },
      'the entries of an organization cannot be compared with its ledger; trying again',
    );
  await isolation.attempt(id, () => scrubOne(options, ledger), { signal, onFailure });
  return true;
}

async function scrubOne(options: ScrubOptions, ledger: ScrubbedLedger): Promise<void> {
  const { db, signal, share } = options;
  let next: Place | null = ledger;
  while (next !== null && !signal.aborted) {
    const startedAt = performance.now();
    next = await takeStep(options, ledger, next);
    await saveScrub(db, ledger.id, next);
    await restAfter(startedAt, share, signal);
  }
}

type Place = Pick<ScrubbedLedger, 'number' | 'after'>;

async function takeStep(options: ScrubOptions, ledger: ScrubbedLedger, at: Place): Promise<Place | null> {
  const { db, log } = options;
  const report = async (findings: readonly Finding[]): Promise<void> => {
    const news = await addFindings(db, ledger.id, findings);
    if (news.length === 0) return;
    const shown = news
      .slice(0, 10)
      .map(({ kind, entryId, number }) => ({ kind, entryId: `${entryId}`, number }));
    const { organization } = ledger;
    log.error({ organization, findings: news.length, shown }, 'entries are not as they were sealed');
  };
  if (at.number * tileWidth < ledger.size) {
    const { findings, leaves } = await compareBundle(options, ledger, at.number);
    await report(findings);
    const from = at.number * tileWidth + 1;
    await resolveFindings(db, ledger.id, { from, to: from + tileWidth - 1 }, findings);
    options.onScrubbed?.(leaves);
    return { number: at.number + 1, after: null };
  }
  const { slippedIn, next } = await compareRows(db, ledger, at.after);
  await report(slippedIn.map((id) => ({ kind: 'slipped-in', entryId: BigInt(id), number: null })));
  if (next !== null) return { number: at.number, after: next };
  await resolveSlippedIn(db, ledger.id);
  const root = (await readRoots(bundlesOf(db, ledger.id), [ledger.size]))?.get(ledger.size);
  const state = BundleTree.decode(ledger.size, ledger.state)?.root();
  if (root === undefined || state === undefined || Buffer.compare(root, state) !== 0)
    await report([{ kind: 'history', entryId: 0n, number: null }]);
  return null;
}

async function compareBundle(
  { db, fingerprinter }: ScrubOptions,
  ledger: ScrubbedLedger,
  number: number,
): Promise<{ findings: Finding[]; leaves: number }> {
  const first = number * tileWidth + 1;
  const bundle = await readWholeBundle(db, ledger.id, number);
  if (bundle === null) return { findings: [{ kind: 'bundle', entryId: 0n, number: first }], leaves: 0 };
  const leaves = new Map<bigint, Leaf & { readonly number: number }>();
  for (let at = 0; at < bundle.entries.length; at += leafBytes) {
    const leaf = decodeLeaf(bundle.entries, at);
    leaves.set(leaf.entryId, { ...leaf, number: first + at / leafBytes });
  }
  const findings: Finding[] = [];
  const { hash } = bundle;
  if (hash && Buffer.compare(rootOfTile(hashLeaves(bundle.entries)), hash) !== 0)
    findings.push({ kind: 'bundle', entryId: [...leaves.keys()][0] ?? 0n, number: first });
  const seen = new Set<bigint>();
  const read = (ids: readonly bigint[]) =>
    readEntriesById(db, ledger.organization, ids, (entry, isOwn) => {
      const leaf = leaves.get(entry.id);
      if (leaf === undefined || seen.has(entry.id)) return;
      seen.add(entry.id);
      const found = (kind: Finding['kind']): void =>
        void findings.push({ kind, entryId: entry.id, number: leaf.number });
      if (Buffer.compare(entry.uid, leaf.uid) !== 0) found('replaced');
      else if (!isOwn) found('moved');
      else if (
        Buffer.compare(leaf.fingerprint, unreadFingerprint) !== 0 &&
        Buffer.compare(fingerprinter.fingerprint(entry), leaf.fingerprint) !== 0
      )
        found('changed');
    });
  try {
    await read([...leaves.keys()]);
  } catch (error) {
    if (rowFaultOf(error) === null) throw error;
    // One of them cannot be read any more.
    for (const id of leaves.keys()) {
      if (seen.has(id)) continue;
      try {
        await read([id]);
      } catch (fault) {
        if (rowFaultOf(fault) === null) throw fault;
        seen.add(id);
        const leaf = leaves.get(id);
        if (leaf && Buffer.compare(leaf.fingerprint, unreadFingerprint) !== 0)
          findings.push({ kind: 'unreadable', entryId: id, number: leaf.number });
      }
    }
  }
  const gone = [...leaves.values()].filter(({ entryId }) => !seen.has(entryId));
  if (gone.length > 0) {
    const letGo = await listLetGo(
      db,
      ledger.id,
      gone.map((leaf) => leaf.number),
    );
    for (const leaf of gone)
      if (!letGo.has(leaf.number))
        findings.push({ kind: 'missing', entryId: leaf.entryId, number: leaf.number });
  }
  return { findings, leaves: leaves.size };
}
