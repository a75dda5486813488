/** `verify` in this process, which is quicker than a process for each run; `formats.test.ts` runs the command itself. */
import { parseCommandLine } from '../../src/settings/command.ts';
import { filesOf } from '../../src/verify/copies.ts';
import { openLedgerFiles } from '../../src/verify/ledgerFiles.ts';
import { readVerifyOptions, verifyOptions } from '../../src/verify/options.ts';
import { jsonReport, textReport } from '../../src/verify/report.ts';
import { verifyCopies } from '../../src/verify/verifyCopies.ts';

export interface VerifyResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runVerify(args: readonly string[]): Promise<VerifyResult> {
  const command = { name: 'verify', summary: '', version: '', operands: 'FILE…', options: verifyOptions };
  const line = parseCommandLine(args, command);
  const options = line.kind === 'run' ? readVerifyOptions(line) : line;
  if (options.kind !== 'run') throw new Error(`These arguments are wrong: ${args.join(' ')}`);
  let stdout = '';
  let stderr = '';
  const makeReport = options.isJson ? jsonReport : textReport;
  const code = await verifyCopies(
    openLedgerFiles(options.ledger ?? '', options.headers),
    filesOf(options.files, options.copyHeaders),
    options,
    makeReport((text) => {
      stdout += `${text}\n`;
    }),
    (text) => {
      stderr += `${text}\n`;
    },
  );
  return { code, stdout, stderr };
}
