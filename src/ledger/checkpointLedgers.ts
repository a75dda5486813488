/**
 * Makes the next checkpoints of ledgers, each after comparing what is committed with every checkpoint that is known: its own last one, and those
 * that statuses keep. One that does not fit means that the database was set back or changed, and going on would fork the history.
 */
import { mostBundlesEach, readBundlesOfMany } from '../database/ledgerBundles.ts';
import {
  type DueLedger,
  knownLedgers,
  readDueLedgers,
  type SignedCheckpoint,
  storeCheckpoints,
} from '../database/ledgerCheckpoints.ts';
import type { Database } from '../database/pool.ts';
import { BundleTree } from './bundleTree.ts';
import { formatCheckpoint, ledgerIdOf } from './checkpoint.ts';
import type { LedgerKey } from './ledgerKey.ts';
import { signNote } from './note.ts';
import { type Bundles, bundlesOf, bundlesRead, partOf, readRoots } from './readRoots.ts';
import { tileWidth } from './tiles.ts';

/** A checkpoint that somebody else keeps. */
export interface Claim {
  readonly organization: string;
  readonly origin: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** Who keeps it, for people: `the status of default.acme`. */
  readonly keeper: string;
}

export interface Signing {
  /** The setting LEDGER_NAME. */
  readonly name: string;
  /** None: checkpoints are not signed. */
  readonly keys: readonly LedgerKey[];
}

/** What a ledger is stopped for. */
export interface Contradiction {
  /** For people, with what they should do. */
  readonly message: string;
  /** Leaves are not those that a checkpoint was made of, or not there; false: the database is merely older than a checkpoint. */
  readonly isAltered: boolean;
}

/**
 * Answers by the ledger's id why it must be stopped, or null: it fits with all that is known, and has its checkpoint, unless somebody else has
 * stored one or has its row. Of one that is stopped already or no longer in force it says nothing. `claims`, by their organization, were read
 * before this call: the rows are at least as new.
 *
 * @throws the database's error, also that about one ledger (`isOfOneLedger`): ask one by one then.
 */
export async function checkpointLedgers(
  db: Database,
  ids: readonly string[],
  claims: ReadonlyMap<string, readonly Claim[]>,
  signing: Signing,
): Promise<ReadonlyMap<string, Contradiction | null>> {
  const found = new Map<string, Contradiction | null>();
  const ledgers = await readDueLedgers(db, ids);
  const claimsOf = ({ organization }: DueLedger): readonly Claim[] => claims.get(organization) ?? [];
  const bundles = await readBundles(db, ledgers, claimsOf);
  const checkpoints: SignedCheckpoint[] = [];
  for (const ledger of ledgers) {
    const own = claimsOf(ledger);
    const contradiction =
      (await findUnknown(db, ledger, own)) ??
      (await findContradiction(ledger, own, bundles.get(ledger.id) ?? bundlesOf(db, ledger.id)));
    found.set(ledger.id, contradiction);
    if (contradiction === null && ledger.size > 0) checkpoints.push(sign(ledger, signing));
  }
  if (checkpoints.length > 0) await storeCheckpoints(db, checkpoints);
  return found;
}

/** Those of small ledgers, by one statement. */
async function readBundles(
  db: Database,
  ledgers: readonly DueLedger[],
  claimsOf: (ledger: DueLedger) => readonly Claim[],
): Promise<ReadonlyMap<string, Bundles>> {
  const wanted = ledgers
    .map((ledger) => ({
      ledger: ledger.id,
      last: Math.floor(ledger.size / tileWidth),
      parts: [ledger, ...known(ledger, claimsOf(ledger))].flatMap(({ size }) => partOf(size) ?? []),
    }))
    .filter(({ last }) => last < mostBundlesEach);
  if (wanted.length === 0) return new Map();
  const read = await readBundlesOfMany(db, wanted);
  return new Map(wanted.map(({ ledger }) => [ledger, bundlesRead(read.get(ledger) ?? [])]));
}

function sign(ledger: DueLedger, signing: Signing): SignedCheckpoint {
  const root = BundleTree.decode(ledger.size, ledger.state)?.root();
  if (root === undefined) throw new Error('the state of a ledger is of another size');
  // Its first signature fixes the name; without a key there is nothing to fix.
  const isFixed = ledger.isSigned || (ledger.note !== null && signing.keys.length === 0);
  const name = isFixed ? ledger.name : signing.name;
  const origin = `${name}/${ledger.id}`;
  const signers = signing.keys.map((key) => key.signerFor(origin));
  const note = signNote(formatCheckpoint({ origin, size: ledger.size, root }), signers);
  return { ledger, name, size: ledger.size, root, note, isSigned: signers.length > 0 };
}

/** A ledger that a status names and that the database does not have, or that was ended without audit.restart_ledger. */
async function findUnknown(
  db: Database,
  ledger: DueLedger,
  claims: readonly Claim[],
): Promise<Contradiction | null> {
  const others = claims.flatMap(({ origin }) => ledgerIdOf(origin) ?? []).filter((id) => id !== ledger.id);
  if (others.length === 0) return null;
  const followed = await knownLedgers(db, ledger, others);
  const unknown = claims.find(({ origin }) => {
    const id = ledgerIdOf(origin);
    return id !== null && id !== ledger.id && !followed.has(id);
  });
  return unknown
    ? setBack(
        `${unknown.keeper} names ${sealed(unknown)} in the ledger ${unknown.origin}, which the database does not have, or which the ledger in force does not follow`,
      )
    : null;
}

/** Roots that the ledger must have had: those of `claims` on it, and that of its last checkpoint. */
function known(
  ledger: DueLedger,
  claims: readonly Claim[],
): ReadonlyArray<Omit<Claim, 'organization' | 'origin'>> {
  const own = claims.filter(({ origin }) => ledgerIdOf(origin) === ledger.id);
  if (ledger.note === null) return own;
  const { size, root } = ledger.note;
  return [...own, { size, root: root.toString('base64'), keeper: 'its last checkpoint' }];
}

async function findContradiction(
  ledger: DueLedger,
  claims: readonly Claim[],
  bundles: Bundles,
): Promise<Contradiction | null> {
  const all = known(ledger, claims);
  const larger = claims.find(({ origin, size }) => ledgerIdOf(origin) === ledger.id && size > ledger.size);
  if (larger) return setBack(`${larger.keeper} names ${sealed(larger)}, and the database has ${ledger.size}`);
  const roots = await readRoots(bundles, [...all.map(({ size }) => size), ledger.size]);
  if (roots === null) return altered('leaves of the ledger are missing in the database');
  const state = BundleTree.decode(ledger.size, ledger.state)?.root();
  if (!isSame(roots.get(ledger.size), state))
    return altered('the leaves of the ledger in the database do not make the tree that its row says');
  const other = all.find(({ size, root }) => !isSame(roots.get(size), Buffer.from(root, 'base64')));
  if (!other) return null;
  return altered(`${other.keeper} names ${sealed(other)}, and the database has another root there`);
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}

function sealed({ size, root }: Pick<Claim, 'size' | 'root'>): string {
  return `${size} sealed ${size === 1 ? 'entry' : 'entries'} with the root ${root}`;
}

function setBack(what: string): Contradiction {
  return { message: messageOf(what), isAltered: false };
}

function altered(what: string): Contradiction {
  return { message: messageOf(what), isAltered: true };
}

function messageOf(what: string): string {
  return `The database was set back or changed: ${what}. Entries are delivered, and none is sealed any more. Keep what the receivers have, then begin a new ledger with audit.restart_ledger.`;
}
