/** What the tests of ledgers share: seal all there is, and look at what came of it. */
import { type LedgerRow, ledgerColumns, type RawLedger, toLedgerRow } from '../../src/database/ledgers.ts';
import type { Database } from '../../src/database/pool.ts';
import { Fingerprinter } from '../../src/ledger/fingerprint.ts';
import { decodeLeaf } from '../../src/ledger/leaf.ts';
import { type SealOptions, sealOrganization } from '../../src/ledger/sealOrganization.ts';
import { leafBytes } from '../../src/ledger/tiles.ts';
import { CompactRange, hashLeaf } from '../../src/ledger/tree.ts';

export function sealOptions(db: Database, more: Partial<SealOptions> = {}): SealOptions {
  const signal = new AbortController().signal;
  return {
    db,
    name: 'audit.example.com',
    fingerprinter: new Fingerprinter(),
    signal,
    share: 1,
    turnMs: 60_000,
    ...more,
  };
}

/** Until nothing is left. */
export async function sealNow(
  db: Database,
  organization = 'acme',
  more: Partial<SealOptions> = {},
): Promise<void> {
  for (;;) {
    const turn = await sealOrganization(organization, sealOptions(db, more));
    if (turn === 'done') return;
    if (turn === 'stopped' || turn === 'damaged') throw new Error(turn);
  }
}

export async function readLedger(db: Database, organization = 'acme'): Promise<LedgerRow> {
  const { rows } = await db.query<RawLedger>(
    `select ${ledgerColumns} from audit.ledgers s where s.organization = $1 and s.ended_at is null`,
    [organization],
  );
  if (!rows[0]) throw new Error(`${organization} has no ledger`);
  return toLedgerRow(rows[0]);
}

/** Ids of all leaves, in their order. Fails unless bundles, hashes, size and state agree with each other. */
export async function sealedIds(db: Database, organization = 'acme'): Promise<string[]> {
  const ledger = await readLedger(db, organization);
  const { rows } = await db.query<{ number: string; entries: Buffer; hash: Buffer | null }>(
    'select b.number::text, b.entries, b.hash from audit.ledger_bundles b where b.ledger = $1 order by b.number',
    [ledger.id],
  );
  const tree = new CompactRange();
  const ids: string[] = [];
  rows.forEach(({ number, entries, hash }, i) => {
    if (Number(number) !== i) throw new Error(`bundle ${i} is missing`);
    const bundle = new CompactRange();
    for (let at = 0; at < entries.length; at += leafBytes) {
      const leaf = hashLeaf(entries.subarray(at, at + leafBytes));
      tree.append(leaf);
      bundle.append(leaf);
      ids.push(decodeLeaf(entries, at).entryId.toString());
    }
    if (hash && Buffer.compare(hash, bundle.root()) !== 0)
      throw new Error(`the root of bundle ${i} is wrong`);
  });
  if (tree.size !== ledger.size) throw new Error(`size ${ledger.size}, but ${tree.size} leaves`);
  if (Buffer.compare(tree.encode(), ledger.state) !== 0) throw new Error('the state is of another tree');
  return ids;
}
