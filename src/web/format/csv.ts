/**
 * Entries as CSV for spreadsheets (RFC 4180): CRLF, every cell quoted where it must be.
 *
 * A cell that a spreadsheet would take for a formula gets a leading apostrophe: who can name an API key could otherwise run
 * one on an admin's machine. The text begins with a byte order mark, without which Excel reads UTF-8 as Latin-1. Programs
 * take NDJSON, which has neither.
 */
import type { FullEntry } from '../../database/entries.ts';

const columns: ReadonlyArray<readonly [name: string, value: (entry: FullEntry) => string | null]> = [
  ['id', (entry) => entry.id],
  ['uid', (entry) => entry.uid],
  ['occurred_at', (entry) => entry.occurredAt],
  ['event_type', (entry) => entry.eventType],
  ['actor_id', (entry) => entry.actorId],
  ['actor_name', (entry) => entry.actorName],
  ['session_type', (entry) => entry.sessionType],
  ['project', (entry) => entry.project],
  ['metadata', (entry) => entry.metadata],
];

export const csvHeader = `\uFEFF${columns.map(([name]) => name).join(',')}\r\n`;

export function csvRow(entry: FullEntry): string {
  return `${columns.map(([, value]) => csvCell(value(entry) ?? '')).join(',')}\r\n`;
}

export function csvCell(text: string): string {
  // OWASP's list; the full-width forms are what Excel of Chinese and Japanese systems takes for the same.
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
