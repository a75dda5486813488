/** `verify`: copies of entries against a ledger, from the signature to the last record. */
import { type Checkpoint, ledgerIdOf } from '../ledger/checkpoint.ts';
import type { NoteVerifier } from '../ledger/note.ts';
import { Comparison, type Explain } from './comparison.ts';
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
  /** Whether a filter may be said at all: not where the database tells what it left out. */
  readonly mayBeFiltered: boolean;
  /** A checkpoint without a signature is good enough. */
  readonly allowsUnsigned: boolean;
  /** What is partly proven counts as proven for the exit code. */
  readonly acceptsPartly: boolean;
}

/** Where copies put what they read. */
export interface CopyReader {
  /** With what they are compared. */
  readonly checkpoint: Checkpoint;
  readonly comparison: Comparison;
  readonly report: Report;
  tell(finding: Finding): void;
  progress(describe: () => string): void;
  /** Says that the copy had nothing newer than this (milliseconds since 1970), as far as is known. */
  takenAt(timeMs: number): void;
}

/** Reads all of the copies, in bounded memory: the files of a receiver (`filesOf`), or the table (`rowsOf`). @throws Error a sentence about what cannot be read. */
export type ReadCopies = (into: CopyReader) => Promise<void>;

/** What is known of a copy that was taken at a time. */
export type MakeExplain = (checkpoint: Checkpoint, takenAtMs: number) => Promise<Explain>;

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
  makeExplain: MakeExplain | null = null,
): Promise<ExitCode> {
  try {
    return await verify(readLedger, readCopies, options, report, makeProgress(say), makeExplain);
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
  makeExplain: MakeExplain | null,
): Promise<ExitCode> {
  const { keys, older, allowsUnsigned } = options;
  const origins = options.origin === null ? keys.map(({ name }) => name) : [options.origin];
  const ledger = await openLedger(readLedger, { keys, origins, older, allowsUnsigned }, (leaves, size) =>
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
  const { checkpoint, sealed } = ledger;
  const comparison = new Comparison(sealed, ledgerIdOf(checkpoint.origin) ?? '', tell);
  let takenAtMs = Date.now();
  const takenAt = (timeMs: number): void => {
    takenAtMs = Math.min(takenAtMs, timeMs);
  };
  await readCopies({ checkpoint, comparison, report, tell, progress, takenAt });
  const explain = makeExplain && (await makeExplain(checkpoint, takenAtMs));
  const totals = await comparison.finish(!options.isFiltered, explain, (asked) =>
    progress(() => `${count(asked)} entries that are not here were looked up.`),
  );
  const verdict = judge(ledger, totals, wrong, options);
  report.end(verdict, totals);
  const { exitCode } = verdict;
  return exitCode === exitCodes.partly && options.acceptsPartly ? exitCodes.proven : exitCode;
}
