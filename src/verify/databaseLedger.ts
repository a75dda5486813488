/** A ledger as the database has it: its files, and how it differs from the one that is trusted. */
import { readBundle } from '../database/ledgerBundles.ts';
import type { Database } from '../database/pool.ts';
import { readTableLedger, type TableLedger } from '../database/tableLedger.ts';
import { type Checkpoint, ledgerIdOf } from '../ledger/checkpoint.ts';
import { bundlesOf, readRoots } from '../ledger/readRoots.ts';
import { readTile } from '../ledger/readTile.ts';
import { encodeBundle, leafBytes, parseTilePath, tileWidth } from '../ledger/tiles.ts';
import { count } from './findings.ts';
import type { ReadLedgerFile } from './ledgerFiles.ts';

/** The files that the page would serve; empty where the database lacks one. @throws Error one sentence: there is no checkpoint yet. */
export function openDatabaseLedger(db: Database, organization: string): ReadLedgerFile {
  return async (path) => {
    const ledger = await readTableLedger(db, organization);
    const tile = parseTilePath(path);
    const bytes = ledger && (tile ? await readTile(db, ledger.id, tile) : ledger.note);
    if (bytes) return tile?.level === 'entries' ? encodeBundle(bytes) : bytes;
    if (tile) return Buffer.alloc(0);
    throw new Error(
      `The ledger of ${JSON.stringify(organization)} has no checkpoint yet: the collector makes one within a minute.`,
    );
  };
}

/** Leaves that the database has behind those of the checkpoint. */
export async function readNewerLeaves(db: Database, ledger: TableLedger, size: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let number = Math.floor(size / tileWidth); number * tileWidth < ledger.size; number++) {
    const leaves = (await readBundle(db, ledger.id, number)) ?? Buffer.alloc(0);
    parts.push(leaves.subarray(Math.max(0, size - number * tileWidth) * leafBytes));
  }
  return Buffer.concat(parts);
}

/** One sentence, when the database's ledger does not begin with the checkpoint; else null. */
export async function findOtherLedger(
  db: Database,
  ledger: TableLedger,
  { origin, size, root }: Checkpoint,
): Promise<string | null> {
  const name = `The ledger of ${JSON.stringify(ledger.organization)} in the database`;
  if (ledgerIdOf(origin) !== ledger.id)
    return `${name} is ${ledger.origin}, not ${origin}: it is another organization's, or a new one.`;
  if (ledger.size < size)
    return `${name} has ${count(ledger.size)} sealed entries, and the checkpoint ${count(size)}: the database was set back.`;
  const own = (await readRoots(bundlesOf(db, ledger.id), [size]))?.get(size);
  if (own !== undefined && Buffer.compare(own, root) === 0) return null;
  return `${name} has another root at ${count(size)} sealed entries than the checkpoint: it was altered after that was made.`;
}
