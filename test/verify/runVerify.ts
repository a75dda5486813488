/** `verify` in this process, which is quicker than a process for each run; `formats.test.ts` runs the command itself. */
import type { Database } from '../../src/database/pool.ts';
import type { LedgerKey } from '../../src/ledger/ledgerKey.ts';
import { parseCommandLine } from '../../src/settings/command.ts';
import { filesOf } from '../../src/verify/copies.ts';
import { openLedgerFiles } from '../../src/verify/ledgerFiles.ts';
import { readVerifyOptions, verifyOptions } from '../../src/verify/options.ts';
import { jsonReport, textReport } from '../../src/verify/report.ts';
import { verifyCopies } from '../../src/verify/verifyCopies.ts';
import { verifyInDatabase } from '../../src/verify/verifyInDatabase.ts';

export interface VerifyResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `verify --table` of an organization. @param own the keys of the collector. */
export async function runVerifyTable(
  db: Database,
  organization: string,
  own: readonly LedgerKey[],
  args: readonly string[] = [],
): Promise<{ code: number; said: string[] }> {
  const command = { name: 'verify', summary: '', version: '', operands: 'FILE…', options: verifyOptions };
  const line = parseCommandLine(['--table', '--organization', organization, ...args], command);
  const options = line.kind === 'run' ? readVerifyOptions(line) : line;
  if (options.kind !== 'run') throw new Error(`These arguments are wrong: ${args.join(' ')}`);
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const report = (options.isJson ? jsonReport : textReport)(say);
  return { code: await verifyInDatabase(db, { ...options, organization }, own, report, say), said };
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
