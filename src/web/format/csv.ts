/**
 * Writes entries as CSV for spreadsheets (RFC 4180): CRLF, cells quoted where necessary.
 *
 * A cell that a spreadsheet would take for a formula gets a leading apostrophe: otherwise anyone who can name an API key could run
 * a formula on an admin's machine. An apostrophe also goes before a formula after `;`, a tab or a line break, where a spreadsheet may
 * split the cell. The text begins with a byte order mark, without which Excel reads UTF-8 as Latin-1. Programs should take NDJSON, which
 * has neither.
 */
import type { FullEntry } from '../../database/entries.ts';
import { whatHappened } from '../what/summarize.ts';

const columns: ReadonlyArray<readonly [name: string, value: (entry: FullEntry) => string | null]> = [
  ['id', (entry) => entry.id],
  ['uid', (entry) => entry.uid],
  ['occurred_at', (entry) => entry.occurredAt],
  ['event_type', (entry) => entry.eventType],
  ['actor_id', (entry) => markCut(entry, 'actorId')],
  ['actor_name', (entry) => markCut(entry, 'actorName')],
  ['session_type', (entry) => markCut(entry, 'sessionType')],
  ['project', (entry) => markCut(entry, 'project')],
  ['metadata', (entry) => entry.metadata ?? '[left out: too large to be written as text]'],
  ['what', whatHappened],
];

export const csvHeader = `\uFEFF${columns.map(([name]) => name).join(',')}\r\n`;

export function csvRow(entry: FullEntry): string {
  return `${columns.map(([, value]) => csvCell(value(entry) ?? '')).join(',')}\r\n`;
}

type CutField = 'actorId' | 'actorName' | 'sessionType' | 'project';

function markCut(entry: FullEntry, field: CutField): string | null {
  return entry.leftOut.includes(field) ? `${entry[field]}… [cut: too large]` : entry[field];
}

// OWASP's list; Excel on Chinese and Japanese systems treats the full-width forms the same way.
const startsFormula = /^[=+\-@\t\r\n＝＋－＠]/;
/** Blanks and opening quotes after a separator make no difference. */
const formulaBehindSeparator = /([;\t\r\n][ \u00a0"]*)([=+\-@＝＋－＠])/g;

export function csvCell(text: string): string {
  const safe = (startsFormula.test(text) ? `'${text}` : text).replace(formulaBehindSeparator, "$1'$2");
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
