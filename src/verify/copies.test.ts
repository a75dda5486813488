import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { makeEntry } from '../../tools/otlp/testEntries.ts';
import { formatCheckpoint } from '../ledger/checkpoint.ts';
import { Fingerprinter, type SealedFields } from '../ledger/fingerprint.ts';
import { encodeLeaf } from '../ledger/leaf.ts';
import { LedgerKey } from '../ledger/ledgerKey.ts';
import { parseVerifierKey, signNote, verifierKey } from '../ledger/note.ts';
import { encodeBundle } from '../ledger/tiles.ts';
import { CompactRange, hashLeaf } from '../ledger/tree.ts';
import { rowsOf, type TableRow } from './copies.ts';
import type { ReadLedgerFile } from './ledgerFiles.ts';
import { textReport } from './report.ts';
import { verifyCopies } from './verifyCopies.ts';

const origin = 'audit.example.com/1';
const key = new LedgerKey(generateKeyPairSync('ed25519').privateKey);
const keys = [parseVerifierKey(verifierKey(origin, key.publicKey)) ?? []].flat();
const fingerprinter = new Fingerprinter();

const entryAt = (at: number): SealedFields => makeEntry({ id: BigInt(at), uid: Buffer.alloc(16, at) });
const rowOf = (entry: SealedFields): TableRow => ({
  entryId: entry.id,
  uid: entry.uid,
  fingerprint: fingerprinter.fingerprint(entry),
});

/** A ledger of the rows, in memory. */
function ledgerOf(rows: readonly TableRow[]): ReadLedgerFile {
  const leaves = rows.map(encodeLeaf);
  const tree = new CompactRange();
  for (const leaf of leaves) tree.append(hashLeaf(leaf));
  const text = formatCheckpoint({ origin, size: rows.length, root: tree.root() });
  const files = new Map([
    ['checkpoint', signNote(text, [key.signerFor(origin)])],
    [`tile/entries/000.p/${rows.length}`, encodeBundle(Buffer.concat(leaves))],
  ]);
  return async (path) => files.get(path) ?? Buffer.alloc(0);
}

async function verify(sealed: readonly TableRow[], table: readonly TableRow[]) {
  const said: string[] = [];
  async function* rows() {
    yield* table;
  }
  const options = { keys, origin: null, older: [], isFiltered: false };
  const report = textReport((line) => said.push(line));
  const code = await verifyCopies(ledgerOf(sealed), rowsOf(rows(), 'the table'), options, report, (line) =>
    said.push(line),
  );
  return { code, said: said.slice(1) };
}

test('a table is proven, and each row that was changed, deleted, replaced or slipped in is named', async () => {
  const sealed = [1, 2, 3, 4].map((at) => rowOf(entryAt(at)));
  expect(await verify(sealed, sealed.toReversed())).toEqual({
    code: 0,
    said: [
      'the table: the entries themselves.',
      '4 records were read.',
      'Proven: each of the 4 sealed entries is here as it was sealed, and nothing else is.',
    ],
  });
  const forged = [
    rowOf({ ...entryAt(1), actorName: Buffer.from('Eve') }),
    rowOf({ ...entryAt(3), uid: Buffer.alloc(16, 9) }),
    rowOf(entryAt(4)),
    rowOf(entryAt(5)),
  ];
  const uid = (digit: number) => '00000000-0000-0000-0000-000000000000'.replaceAll('00', `0${digit}`);
  expect(await verify(sealed, forged)).toEqual({
    code: 1,
    said: [
      `Entry number 1 (id 1, uid ${uid(1)}) is not as it was sealed: the table.`,
      'the table: the entries themselves.',
      `Entry number 2 (id 2, uid ${uid(2)}) is missing.`,
      `Entry number 3 (id 3, uid ${uid(3)}) is missing, and a record with its id and another uid (${uid(9)}) is in its place: the table.`,
      `A record that is not sealed (id 5, uid ${uid(5)}): the table. It slipped in, or is newer than the checkpoint.`,
      '4 records were read.',
      '2 of 4 sealed entries are not here.',
      expect.stringMatching(/^Not proven: 4 findings/),
    ],
  });
});

test('a ledger without entries proves an empty table alone', async () => {
  expect((await verify([], [])).code).toBe(0);
  expect((await verify([], [rowOf(entryAt(1))])).code).toBe(1);
});
