/** Proves a copy of an organization's audit entries complete and unaltered against its ledger. Needs no setting and no database. */
import { filesOf } from '../src/verify/copies.ts';
import { openLedgerFiles } from '../src/verify/ledgerFiles.ts';
import { readVerifyOptions, verifyOptions } from '../src/verify/options.ts';
import { jsonReport, textReport } from '../src/verify/report.ts';
import { verifyCopies } from '../src/verify/verifyCopies.ts';
import { openCommand } from './shell.ts';

const name = 'node cmd/verify.ts';
const line = openCommand({
  name,
  summary:
    "Proves a copy of an organization's entries complete and unaltered: each is compared with what its ledger sealed, and the ledger with its signed root. Reads OTLP/JSON lines of a Collector, NDJSON of VictoriaLogs and Elasticsearch, JSON of Loki, and the page's NDJSON and CSV; also compressed by gzip.",
  operands: 'FILE…',
  options: verifyOptions,
  notes: `Exit codes:
  0  proven: every sealed entry is here as it was sealed, and nothing else
  1  something is wrong: each finding is named
  2  the command line is wrong, or a file or the ledger cannot be read
  3  nothing is wrong, but the copy cannot show everything: its format loses contents, or a filter left entries out
`,
  withSettings: false,
});
const options = readVerifyOptions(line);
if (options.kind === 'wrong') {
  process.stderr.write(`${name} ${options.problem}; see ${name} --help.\n`);
  process.exit(2);
}
const makeReport = options.isJson ? jsonReport : textReport;
process.exitCode = await verifyCopies(
  openLedgerFiles(options.ledger, options.headers),
  filesOf(options.files),
  options,
  makeReport((text) => process.stdout.write(`${text}\n`)),
  (text) => process.stderr.write(`${text}\n`),
);
