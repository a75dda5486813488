/**
 * Writes docs/settings.md and docs/metrics.md from the tables in the code: `npm run generate`. A test fails while they
 * differ from them.
 */
import { writeFile } from 'node:fs/promises';
import type { Setting } from '../src/settings/setting.ts';
import { settingsTable } from '../src/settings/table.ts';
import { metricTable } from '../src/telemetry/metricTable.ts';

/** The generated pages by file name in docs/. */
export function makePages(): Map<string, string> {
  return new Map([
    ['settings.md', makeSettingsPage()],
    ['metrics.md', makeMetricsPage()],
  ]);
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

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) {
  for (const [name, text] of makePages()) await writeFile(new URL(name, import.meta.url), text);
}
