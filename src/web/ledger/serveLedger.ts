/**
 * The ledger as files (c2sp.org/tlog-tiles): the checkpoint, tiles, bundles of leaves, and the proof of one entry. For admins of the
 * organization alone: whoever has a leaf can test guesses of an entry's contents.
 */
import { findSealed } from '../../database/ledgerBundles.ts';
import { readNote } from '../../database/ledgerCheckpoints.ts';
import type { Database } from '../../database/pool.ts';
import { writeProof } from '../../ledger/proof.ts';
import { readTile } from '../../ledger/readTile.ts';
import { encodeBundle, parseTilePath, readFromTiles, tileWidth, widthOf } from '../../ledger/tiles.ts';
import { proveInclusion } from '../../ledger/treeProof.ts';
import { attachment } from '../list/fileName.ts';
import { sendProblem } from '../reply/reply.ts';
import { entryUrl, logsUrl } from '../urls.ts';
import type { SealView } from '../views/entryViews.ts';
import type { Visit } from '../visit.ts';

export async function sendCheckpoint(visit: Visit): Promise<void> {
  const { response, organization, context } = visit;
  const kept = await readNote(context.db, organization);
  if (kept === null) return sayNotSealed(visit);
  response.set('Cache-Control', 'private, max-age=5').type('text').send(kept.note);
}

export async function sendTile(visit: Visit): Promise<void> {
  const { request, response, organization, context } = visit;
  const rest = request.params['path'];
  const tile = parseTilePath(`tile/${Array.isArray(rest) ? rest.join('/') : String(rest)}`);
  const kept = tile && (await readNote(context.db, organization));
  if (!tile || !kept || tile.width > widthOf(tile, kept.size)) return sayNotSealed(visit);
  const bytes = await readTile(context.db, kept.ledger, tile);
  if (bytes === null) return sayNotSealed(visit);
  const isFull = tile.width === tileWidth;
  response
    .set('Cache-Control', isFull ? 'private, max-age=31536000, immutable' : 'private, max-age=3600')
    .type('application/octet-stream')
    .send(tile.level === 'entries' ? encodeBundle(bytes) : bytes);
}

/** A `.tlog-proof` file: it shows offline that the entry is sealed at the latest checkpoint. */
export async function sendProof(visit: Visit): Promise<void> {
  const { request, response, organization, context } = visit;
  const id = String(request.params['entry']);
  const [sealed, kept] = await Promise.all([
    /^\d{1,18}$/.test(id) ? findSealed(context.db, organization, id) : null,
    readNote(context.db, organization),
  ]);
  if (sealed === null || kept === null || sealed.ledger !== kept.ledger || sealed.number > kept.size)
    return sayNotSealed(visit);
  const index = sealed.number - 1;
  const read = readFromTiles(kept.size, async (tile) => {
    const bytes = await readTile(context.db, kept.ledger, tile);
    if (bytes === null) throw new Error('a tile of the ledger is missing in the database');
    return bytes;
  });
  const hashes = await proveInclusion(index, kept.size, read);
  response
    .set('Content-Disposition', attachment(`${organization}-${id}.tlog-proof`))
    .type('text')
    .send(writeProof({ index, leaf: sealed.leaf, hashes, checkpoint: kept.note }));
}

function sayNotSealed({ request, response, organization }: Visit): void {
  sendProblem(request, response, 404, {
    title: 'Not sealed yet',
    message: 'The ledger of this organization does not have this at its latest checkpoint.',
    link: { url: logsUrl(organization), text: 'All entries' },
  });
}

/** What the drawer says of an entry; null: it is not sealed yet. @throws the database's error. */
export async function readSeal(db: Database, organization: string, id: string): Promise<SealView | null> {
  const sealed = await findSealed(db, organization, id);
  if (sealed === null) return null;
  const fingerprint = sealed.leaf.toString('hex', 24);
  return {
    number: sealed.number.toLocaleString('en-US'),
    fingerprint: /^0+$/.test(fingerprint) ? null : fingerprint,
    proofUrl: `${entryUrl(organization, id)}/proof`,
  };
}
