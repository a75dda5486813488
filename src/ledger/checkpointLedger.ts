/**
 * Makes a ledger's next checkpoint, after comparing what is committed with every checkpoint that is known: its own last one, and those
 * that statuses keep. One that does not fit means that the database was set back or changed, and going on would fork the history.
 */
import {
  type DueLedger,
  knownLedgers,
  readDueLedger,
  type Stop,
  storeCheckpoint,
} from '../database/ledgerCheckpoints.ts';
import { addFindings } from '../database/ledgerFindings.ts';
import type { Database } from '../database/pool.ts';
import { BundleTree } from './bundleTree.ts';
import { formatCheckpoint, ledgerIdOf } from './checkpoint.ts';
import type { LedgerKey } from './ledgerKey.ts';
import { signNote } from './note.ts';
import { readRoots } from './readRoots.ts';

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

export type Checkpointed =
  | { readonly kind: 'stored' | 'unchanged' | 'gone' }
  | { readonly kind: 'set-back'; readonly stop: Stop };

/** `claims` were read before this call: the row is at least as new. @throws the database's error. */
export async function checkpointLedger(
  db: Database,
  id: string,
  claims: readonly Claim[],
  signing: Signing,
): Promise<Checkpointed> {
  const ledger = await readDueLedger(db, id);
  if (ledger === null) return { kind: 'gone' };
  const own = claims.filter(({ organization }) => organization === ledger.organization);
  const stop = (await findUnknown(db, ledger, own)) ?? (await findContradiction(db, ledger, own));
  if (stop !== null) return { kind: 'set-back', stop };
  if (ledger.size === 0) return { kind: 'unchanged' };
  const root = BundleTree.decode(ledger.size, ledger.state)?.root();
  if (root === undefined) throw new Error('the state of a ledger is of another size');
  // Its first signature fixes the name; without a key there is nothing to fix.
  const isFixed = ledger.isSigned || (ledger.note !== null && signing.keys.length === 0);
  const name = isFixed ? ledger.name : signing.name;
  const origin = `${name}/${ledger.id}`;
  const signers = signing.keys.map((key) => key.signerFor(origin));
  const note = signNote(formatCheckpoint({ origin, size: ledger.size, root }), signers);
  const checkpoint = { name, size: ledger.size, root, note, isSigned: signers.length > 0 };
  return { kind: (await storeCheckpoint(db, ledger, checkpoint)) ? 'stored' : 'unchanged' };
}

/** A ledger that a status names and that the database does not have, or that was ended without audit.restart_ledger. */
async function findUnknown(db: Database, ledger: DueLedger, claims: readonly Claim[]): Promise<Stop | null> {
  const named = claims.flatMap((claim) => ledgerIdOf(claim.origin) ?? []);
  if (named.length === 0) return null;
  const known = await knownLedgers(db, ledger, named);
  const unknown = claims.find(({ origin }) => {
    const id = ledgerIdOf(origin);
    return id !== null && !known.has(id);
  });
  return unknown
    ? setBack(
        `${unknown.keeper} names ${sealed(unknown)} in the ledger ${unknown.origin}, which the database does not have, or which the ledger in force does not follow`,
      )
    : null;
}

async function findContradiction(
  db: Database,
  ledger: DueLedger,
  claims: readonly Claim[],
): Promise<Stop | null> {
  const own = claims.filter(({ origin }) => ledgerIdOf(origin) === ledger.id);
  const larger = own.find(({ size }) => size > ledger.size);
  if (larger) return setBack(`${larger.keeper} names ${sealed(larger)}, and the database has ${ledger.size}`);
  const known = [
    ...own.map(({ size, root, keeper }) => ({ size, root, keeper })),
    ...(ledger.note === null
      ? []
      : [
          {
            size: ledger.note.size,
            root: ledger.note.root.toString('base64'),
            keeper: 'its last checkpoint',
          },
        ]),
  ];
  const sizes = [...known.map(({ size }) => size), ledger.size];
  const roots = await readRoots(db, ledger.id, sizes);
  const altered = async (what: string): Promise<Stop> => {
    await addFindings(db, ledger.id, [{ kind: 'history', entryId: 0n, number: null }]);
    return setBack(what);
  };
  if (roots === null) return altered('leaves of the ledger are missing in the database');
  const state = BundleTree.decode(ledger.size, ledger.state)?.root();
  if (!isSame(roots.get(ledger.size), state))
    return altered('the leaves of the ledger in the database do not make the tree that its row says');
  const other = known.find(({ size, root }) => !isSame(roots.get(size), Buffer.from(root, 'base64')));
  if (!other) return null;
  return altered(`${other.keeper} names ${sealed(other)}, and the database has another root there`);
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}

function sealed({ size, root }: Pick<Claim, 'size' | 'root'>): string {
  return `${size} sealed ${size === 1 ? 'entry' : 'entries'} with the root ${root}`;
}

function setBack(what: string): Stop {
  return {
    reason: 'DatabaseSetBack',
    message: `The database was set back or changed: ${what}. Entries are delivered, and none is sealed any more. Keep what the receivers have, then begin a new ledger with audit.restart_ledger.`,
  };
}
