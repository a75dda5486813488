/** Proves an organization's audit entries complete and unaltered against its ledger: the table, or a copy, which needs no database. */
import { makePool } from '../src/database/pool.ts';
import { filesOf } from '../src/verify/copies.ts';
import { openLedgerFiles } from '../src/verify/ledgerFiles.ts';
import { readVerifyOptions, verifyOptions } from '../src/verify/options.ts';
import { exitCodes, jsonReport, textReport } from '../src/verify/report.ts';
import { verifyCopies } from '../src/verify/verifyCopies.ts';
import { verifyInDatabase } from '../src/verify/verifyInDatabase.ts';
import { openCommand, openSettings } from './shell.ts';

const name = 'node cmd/verify.ts';
const line = openCommand({
  name,
  summary:
    "Proves an organization's entries complete and unaltered: each is compared with what its ledger sealed, and the ledger with its signed root. Verifies the table itself (--table), or a copy: OTLP/JSON lines of a Collector, NDJSON of VictoriaLogs and Elasticsearch, JSON of Loki, and the page's NDJSON and CSV; also compressed by gzip.",
  operands: 'FILE…',
  options: verifyOptions,
  notes: `Exit codes:
  0  proven: every sealed entry is here as it was sealed, or was let go by retention, and nothing else is
  1  something is wrong: each finding is named
  2  the command line is wrong, or a file, the database or the ledger cannot be read
  3  nothing is wrong, but not everything is proven: the format loses contents, a filter left entries out, the ledger is not signed, an entry could not be read when it was sealed, or only the database says what retention let go of
`,
  withSettings: false,
});
const options = readVerifyOptions(line);
if (options.kind === 'wrong') {
  process.stderr.write(`${name} ${options.problem}; see ${name} --help.\n`);
  process.exit(2);
}
// Exit code 1 says that something is wrong with the entries, and a defect of this program says nothing about them.
process.on('uncaughtException', (error) => {
  process.stderr.write(`${error.stack ?? error}\n`);
  process.exit(exitCodes.notRun);
});
const report = (options.isJson ? jsonReport : textReport)((text) => process.stdout.write(`${text}\n`));
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const { organization, ledger, headers, copyHeaders, files } = options;
if (organization === null) {
  process.exitCode = await verifyCopies(
    openLedgerFiles(ledger ?? '', headers),
    filesOf(files, copyHeaders),
    options,
    report,
    say,
  );
} else {
  const { DATABASE_URL, DATABASE_URL_FILE, LEDGER_KEY, LEDGER_KEY_FILE } = process.env;
  const { databaseUrl, ledgerKey } = openSettings(
    { DATABASE_URL, DATABASE_URL_FILE, LEDGER_KEY, LEDGER_KEY_FILE, PAGE_ADDRESS: 'off' },
    exitCodes.notRun,
  );
  const db = makePool({ url: () => databaseUrl, size: 8, onIdleError: () => {} });
  process.exitCode = await verifyInDatabase(db, { ...options, organization }, ledgerKey ?? [], report, say);
  await db.end();
}
