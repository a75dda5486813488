/**
 * Entries as CSV for spreadsheets (RFC 4180): CRLF, every cell quoted where it must be.
 *
 * A cell that a spreadsheet would take for a formula gets a leading apostrophe: who can name an API key could otherwise run
 * one on an admin's machine. So does one with a place inside, behind `;`, a tab or a line break, where a spreadsheet that splits there
 * would find a formula: it is split as text then. The text begins with a byte order mark, without which Excel reads UTF-8 as Latin-1. Programs
 * take NDJSON, which has neither.
 */
import type { FullEntry } from '../../database/entries.ts';

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
];

export const csvHeader = `\uFEFF${columns.map(([name]) => name).join(',')}\r\n`;

export function csvRow(entry: FullEntry): string {
  return `${columns.map(([, value]) => csvCell(value(entry) ?? '')).join(',')}\r\n`;
}

function markCut(
  entry: FullEntry,
  field: 'actorId' | 'actorName' | 'sessionType' | 'project',
): string | null {
  return entry.leftOut.includes(field) ? `${entry[field]}… [cut: too large]` : entry[field];
}

// OWASP's list; the full-width forms are what Excel of Chinese and Japanese systems takes for the same.
const startsFormula = /^[=+\-@\t\r\n＝＋－＠]/;
/** Behind a separator, blanks and opening quotes make no difference. */
const formulaBehindSeparator = /([;\t\r\n][ \u00a0"]*)([=+\-@＝＋－＠])/g;

export function csvCell(text: string): string {
  const safe = (startsFormula.test(text) ? `'${text}` : text).replace(formulaBehindSeparator, "$1'$2");
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
