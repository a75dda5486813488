/** What the page says of the ledger, and the files of it that verify without the page. */
import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { openCheckpoint } from '../../src/ledger/checkpoint.ts';
import { Checkpoints } from '../../src/ledger/checkpoints.ts';
import { LedgerKey } from '../../src/ledger/ledgerKey.ts';
import { parseVerifierKey, verifierKey } from '../../src/ledger/note.ts';
import { checkProof, readProof } from '../../src/ledger/proof.ts';
import { decodeBundle, hashLeaves, parseTilePath, readFromTiles, tilePath } from '../../src/ledger/tiles.ts';
import { readRoot } from '../../src/ledger/treeProof.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { readLedger, sealNow } from '../ledger/ledgers.ts';
import { expectAccessible, screenshot, useBrowser } from '../tools/browser.ts';
import { insertEntries, migrateDatabase, numbered } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const browser = useBrowser();
const list = '/organizations/acme/audit-logs';

it('shows how far entries are sealed, and serves proofs and tiles that lead to the signed root', async () => {
  const { origin, db } = await startPageUnderTest(postgres);
  expect((await fetch(`${origin}${list}/ledger/checkpoint`)).status).toBe(404);
  const ids = await insertEntries(db, numbered(600));
  await sealNow(db);
  const key = new LedgerKey(generateKeyPairSync('ed25519').privateKey);
  const checkpoints = new Checkpoints({
    db,
    log: makeLogger({ level: 'fatal' }),
    signing: { name: 'audit.example.com', keys: [key] },
    readClaims: async () => ({ organizations: [], keepers: [], claims: [] }),
  });
  await checkpoints.run(new AbortController().signal, 1);
  const { id } = await readLedger(db);
  const known = [parseVerifierKey(verifierKey(`audit.example.com/${id}`, key.publicKey))].flatMap(
    (each) => each ?? [],
  );

  const get = async (path: string) => {
    const answer = await fetch(`${origin}${list}/${path}`);
    return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
  };
  const note = await get('ledger/checkpoint');
  const opened = openCheckpoint(note.bytes, known);
  if (opened.kind !== 'opened') throw new Error(opened.problem);
  expect(opened.checkpoint.size).toBe(600);
  // Both levels of hashes, and the leaves below them.
  const root = await readRoot(
    600,
    readFromTiles(600, async (tile) => (await get(`ledger/${tilePath(tile)}`)).bytes),
  );
  expect(Buffer.compare(root, opened.checkpoint.root)).toBe(0);
  const leaves = decodeBundle((await get('ledger/tile/entries/002.p/88')).bytes);
  expect(hashLeaves(leaves ?? Buffer.alloc(0))).toEqual((await get('ledger/tile/0/002.p/88')).bytes);
  for (const path of ['ledger/tile/0/002.p/89', 'ledger/tile/0/003', 'ledger/tile/0/2', 'ledger/tile/9/000'])
    expect((await get(path)).status, path).toBe(404);
  expect(parseTilePath('tile/0/002.p/88')).not.toBeNull();

  const proof = readProof((await get(`entries/${ids[299]}/proof`)).bytes);
  if (proof === null) throw new Error('no proof');
  expect(proof.index).toBe(299);
  expect(checkProof(proof, known)).toMatchObject({ kind: 'proven' });
  expect((await get('entries/99999/proof')).status).toBe(404);

  const page = await browser.newPage();
  await page.goto(`${origin}${list}?range=all`);
  await page.getByText('Sealed up to entry 600.').waitFor();
  await screenshot(page, 'ledger-list');
  await page.goto(`${origin}${list}/entries/${ids[299]}`);
  const drawer = page.locator('#drawer:modal');
  await drawer.getByText('as number 300').waitFor();
  await expectAccessible(page);
  await screenshot(page, 'ledger-entry');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    drawer.getByRole('link', { name: 'Proof' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`acme-${ids[299]}.tlog-proof`);

  await db.query(
    `insert into audit.ledger_findings (ledger, entry_id, kind, number) values ($1, 7, 'changed', 7)`,
    [id],
  );
  await page.goto(`${origin}${list}?range=all`);
  await page.getByText('1 entry is not as sealed. Tell the operator').waitFor();
  await expectAccessible(page);
});
