/**
 * Writes docs/settings.md, docs/metrics.md and the tables of reasons in docs/reasons.md and docs/runbook.md from the tables in
 * the code: `npm run generate`. A test fails while they differ.
 */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { code, fillIn, table } from '../crds/generator/markdown.ts';
import { type Reaction, type ReasonRow, reasonGroups } from '../src/model/reasons.ts';
import type { Setting } from '../src/settings/setting.ts';
import { settingsTable } from '../src/settings/table.ts';
import { metricTable } from '../src/telemetry/metricTable.ts';

/** The generated pages by file name in docs/. */
export function makePages(): Map<string, string> {
  return new Map([
    ['settings.md', makeSettingsPage()],
    ['metrics.md', makeMetricsPage()],
    ['reasons.md', fillIn(read('reasons.md'), makeReasonTables())],
    ['runbook.md', fillIn(read('runbook.md'), makeRunbookTables())],
  ]);
}

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

const note =
  '<!-- Made by docs/generate.ts: change the table it is made from, and run `npm run generate`. -->';

function makeSettingsPage(): string {
  const rows = Object.entries(settingsTable).map(([key, setting]: [string, Setting<unknown>]) => [
    code(setting.name),
    describeType(setting),
    // The default is this machine's name, which is nobody else's.
    key === 'replicaName' ? 'the host name' : describeDefault(setting),
    setting.secret ? `${setting.doc} Never printed.` : setting.doc,
  ]);
  return `${note}

# Settings

All settings are environment variables. Each can be given as a file instead: \`NAME_FILE\` names a file that holds the
value of \`NAME\`. An empty variable counts as one that is not set. All of them are checked at start; if any is wrong, the
program says every problem at once, one a line, and exits with code 1. \`node cmd/collector.ts --help\` prints this list.

${table(['Setting', 'Value', 'Default', 'Meaning'], rows)}
`;
}

function describeType({ type, unit }: Setting<unknown>): string {
  return unit === '' ? type : `${type} (${unit})`;
}

function describeDefault({ presence }: Setting<unknown>): string {
  switch (presence.kind) {
    case 'required':
      return 'required';
    case 'optional':
      return 'not set';
    case 'default':
      return presence.value === '' ? 'empty' : code(presence.value);
  }
}

function makeMetricsPage(): string {
  const rows = Object.values(metricTable).map(({ name, type, labels, help }) => [
    code(name),
    type,
    labels.map(code).join(', '),
    help,
  ]);
  return `${note}

# Metrics

\`GET /metrics\` on \`OPERATIONS_ADDRESS\` answers in the Prometheus text format. Node's own metrics (\`process_*\`,
\`nodejs_*\`) are there too. \`namespace\` and \`name\` are those of the AuditExportConfig. A stream's metrics are shown by the
replica that sends it, and by no other.

${table(['Metric', 'Type', 'Labels', 'Meaning'], rows)}
`;
}

/** By the names of their places. */
function makeReasonTables(): Map<string, string> {
  const { rejected, ...groups } = reasonGroups;
  const places = { ...groups, disliked: { ...groups.disliked, ...rejected } };
  const head = ['reason', 'when', 'what happens', 'what to do'];
  return new Map(
    Object.entries(places).map(([place, rows]) => [
      place,
      table(
        head,
        Object.entries<ReasonRow>(rows).map(([reason, row]) => [
          code(reason),
          row.when,
          row.what ?? happenings[row.reaction] ?? '',
          whatToDo(row),
        ]),
      ),
    ]),
  );
}

/** What happens where the row does not say it. */
const happenings: Partial<Record<Reaction, string>> = {
  retry: 'retries',
  hold: 'holds',
  'last-good': 'the last good version stays in force',
  forbid: 'nothing is exported',
};

/** The reasons that each alert is about. */
const alerts: Readonly<Record<string, readonly Reaction[]>> = {
  behind: ['retry'],
  holding: ['hold'],
  parked: ['too-large', 'refused', 'park'],
  'config-problem': ['last-good', 'forbid'],
};

function makeRunbookTables(): Map<string, string> {
  const all = Object.values(reasonGroups).flatMap((rows) => Object.entries<ReasonRow>(rows));
  return new Map(
    Object.entries(alerts).map(([place, reactions]) => {
      const found = all.filter(([, { reaction }]) => reactions.includes(reaction));
      const rows = found.map(([reason, row]) => [code(reason), whatToDo(row)]);
      return [place, table(['reason', 'what to do'], rows)];
    }),
  );
}

function whatToDo({ advice, more }: ReasonRow): string {
  return more === undefined ? advice : `${advice} ${more}`;
}

if (import.meta.main) {
  for (const [name, text] of makePages()) await writeFile(new URL(name, import.meta.url), text);
}
