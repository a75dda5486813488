/** `verify`: copies of entries against a ledger, from the signature to the last record. */
import type { NoteVerifier } from '../ledger/note.ts';
import { Comparison } from './comparison.ts';
import { count, type Finding, isWrong } from './findings.ts';
import type { ReadLedgerFile } from './ledgerFiles.ts';
import { type OlderCheckpoint, openLedger } from './openLedger.ts';
import { makeProgress } from './progress.ts';
import { type ExitCode, exitCodes, judge, type Report } from './report.ts';

export interface VerifyOptions {
  /** Whom to trust. */
  readonly keys: readonly NoteVerifier[];
  /** Which ledger it must be; null: the one that a key is named after. */
  readonly origin: string | null;
  /** Checkpoints that were kept: each must be the beginning of the ledger. */
  readonly older: readonly OlderCheckpoint[];
  /** A filter is known to leave entries out, so that a missing one proves nothing. */
  readonly isFiltered: boolean;
}

/** Where copies put what they read. */
export interface CopyReader {
  readonly comparison: Comparison;
  readonly report: Report;
  tell(finding: Finding): void;
  progress(describe: () => string): void;
}

/** Reads all of the copies, in bounded memory: the files of a receiver (`filesOf`), or the table (`rowsOf`). @throws Error a sentence about what cannot be read. */
export type ReadCopies = (into: CopyReader) => Promise<void>;

/**
 * @param say writes a line of progress, or why nothing was verified.
 * @returns the exit code; what was found is in the report.
 */
export async function verifyCopies(
  readLedger: ReadLedgerFile,
  readCopies: ReadCopies,
  options: VerifyOptions,
  report: Report,
  say: (line: string) => void,
): Promise<ExitCode> {
  try {
    return await verify(readLedger, readCopies, options, report, makeProgress(say));
  } catch (error) {
    say((error as Error).message);
    return exitCodes.notRun;
  }
}

async function verify(
  readLedger: ReadLedgerFile,
  readCopies: ReadCopies,
  options: VerifyOptions,
  report: Report,
  progress: CopyReader['progress'],
): Promise<ExitCode> {
  const { keys, older } = options;
  const origins = options.origin === null ? keys.map(({ name }) => name) : [options.origin];
  const ledger = await openLedger(readLedger, { keys, origins, older }, (leaves, size) =>
    progress(() => `The ledger: ${count(leaves)} of ${count(size)} entries read.`),
  );
  if (ledger.kind === 'refused') {
    report.refused(ledger.problem);
    return exitCodes.wrong;
  }
  report.ledger(ledger);
  let wrong = 0;
  const tell = (finding: Finding): void => {
    if (isWrong(finding.kind)) wrong++;
    report.finding(finding);
  };
  const comparison = new Comparison(ledger.sealed, tell);
  await readCopies({ comparison, report, tell, progress });
  const totals = comparison.finish(!options.isFiltered);
  const verdict = judge(ledger, totals, wrong, options.isFiltered);
  report.end(verdict, totals);
  return verdict.exitCode;
}
