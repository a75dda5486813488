/** `verify --organization`: with the database at hand, the table itself, or a copy of which the database says what it need not hold. */
import { describeDatabaseFailure, isDatabaseAway } from '../database/failure.ts';
import type { Database } from '../database/pool.ts';
import { readTableLedger } from '../database/tableLedger.ts';
import type { LedgerKey } from '../ledger/ledgerKey.ts';
import { filesOf, noLedger, rowsOf } from './copies.ts';
import { openDatabaseLedger } from './databaseLedger.ts';
import { makeExplain } from './explain.ts';
import { openLedgerFiles } from './ledgerFiles.ts';
import { nameKey } from './options.ts';
import { type ExitCode, exitCodes, type Report } from './report.ts';
import { type VerifyOptions, verifyCopies } from './verifyCopies.ts';

export interface DatabaseOptions extends Omit<VerifyOptions, 'mayBeFiltered'> {
  readonly organization: string;
  /** As in `ReadOptions`. */
  readonly isTable: boolean;
  readonly files: readonly string[];
  readonly ledger: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly copyHeaders: Readonly<Record<string, string>>;
  readonly unnamedKeys: readonly Uint8Array[];
}

/**
 * Compares the table, or a copy, with the ledger: the database's own unless another is given.
 *
 * @param own the collector's keys, to be trusted when none is given.
 */
export async function verifyInDatabase(
  db: Database,
  options: DatabaseOptions,
  own: readonly LedgerKey[],
  report: Report,
  say: (line: string) => void,
): Promise<ExitCode> {
  try {
    return await verify(db, options, own, report, say);
  } catch (error) {
    say(sentenceOf(error));
    return exitCodes.notRun;
  }
}

async function verify(
  db: Database,
  options: DatabaseOptions,
  own: readonly LedgerKey[],
  report: Report,
  say: (line: string) => void,
): Promise<ExitCode> {
  const { organization, allowsUnsigned } = options;
  const ledger = await readTableLedger(db, organization);
  if (ledger === null) {
    say(noLedger(organization));
    return exitCodes.notRun;
  }
  const origin = options.origin ?? ledger.origin;
  const isOwn = options.keys.length + options.unnamedKeys.length === 0 && !allowsUnsigned;
  const unnamed = isOwn ? own.map(({ publicKey }) => publicKey) : options.unnamedKeys;
  const keys = [...options.keys, ...unnamed.map((key) => nameKey(key, origin))];
  if (keys.length === 0 && !allowsUnsigned) {
    say(
      'Nobody is trusted: give --public-key KEY, or set LEDGER_KEY, or --unsigned if the collector has no key.',
    );
    return exitCodes.notRun;
  }
  const readLedger =
    options.ledger === null
      ? openDatabaseLedger(db, organization)
      : openLedgerFiles(options.ledger, options.headers);
  const read = options.isTable ? rowsOf(db, organization) : filesOf(options.files, options.copyHeaders);
  return verifyCopies(
    async (path) => readLedger(path).catch(rethrowAsSentence),
    async (into) => read(into).catch(rethrowAsSentence),
    { ...options, keys, origin, mayBeFiltered: false },
    report,
    say,
    options.isTable
      ? null
      : async (checkpoint, takenAtMs) =>
          makeExplain(db, organization, checkpoint, takenAtMs).catch(rethrowAsSentence),
  );
}

function rethrowAsSentence(error: unknown): never {
  throw new Error(sentenceOf(error));
}

/** Our own errors are sentences already, and have no code. */
function sentenceOf(error: unknown): string {
  return isDatabaseAway(error) || typeof (error as { code?: unknown }).code === 'string'
    ? `The database cannot be read: ${describeDatabaseFailure(error)}`
    : (error as Error).message;
}
