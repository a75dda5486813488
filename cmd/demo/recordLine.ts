/**
 * One received record as one line of a terminal: time, organization, sequence, event type, actor, session, project, body.
 *
 * A record's content comes from outside, and a terminal obeys escape sequences, so control characters are escaped.
 */
import type { AnyValue, DecodedRecord, DecodedRequest } from '../../tools/otlp/otlpProto.ts';

export interface LineStyle {
  readonly colour: boolean;
  /** Width of the terminal; the body is cut to fit. */
  readonly columns: number;
}

const minBodyWidth = 24;

export function formatRecord(
  record: DecodedRecord,
  resource: DecodedRequest['resource'],
  style: LineStyle,
): string {
  const cells = [
    cell(formatTime(record.timeUnixNano), 12, codes.dim),
    cell(toText(resource.get('audit.organization.id')), 10, codes.cyan),
    cell(`#${record.sequence}`, 7, codes.dim),
    cell(record.eventName, 21, codes.bold),
    cell(toText(record.attributes.get('user.name') ?? record.attributes.get('user.id') ?? '–'), 20),
    cell(toText(record.attributes.get('audit.session.type')), 13, codes.yellow),
    cell(toText(record.attributes.get('audit.project.id') ?? '–'), 9),
  ];
  const used = cells.reduce((sum, { width }) => sum + width + 1, 0);
  // Some terminals wrap a line that is exactly as wide as they are.
  const bodyWidth = Math.max(minBodyWidth, style.columns - used - 1);
  const body = cut(printable(toJsonText(record.body, bodyWidth)), bodyWidth);
  return [...cells.map((each) => paint(each, style.colour)), body].join(' ');
}

interface Cell {
  readonly text: string;
  readonly width: number;
  readonly code: string | undefined;
}

const codes = { bold: '1', dim: '2', yellow: '33', cyan: '36' } as const;

function cell(text: string, width: number, code?: string): Cell {
  const shown = cut(printable(text), width);
  return { text: shown + ' '.repeat(width - displayWidth(shown)), width, code };
}

function paint({ text, code }: Cell, colour: boolean): string {
  return colour && code !== undefined ? `\u001b[${code}m${text}\u001b[0m` : text;
}

function formatTime(unixNano: bigint): string {
  const date = new Date(Number(unixNano / 1_000_000n));
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function toText(value: AnyValue | undefined): string {
  return typeof value === 'string' ? value : toJsonText(value ?? null, 100);
}

/** JSON with every integer unchanged; stops soon after `enough` characters, because the rest is cut anyway. */
function toJsonText(value: AnyValue, enough: number): string {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return `"${Buffer.from(value.subarray(0, enough)).toString('base64')}"`;
  if (typeof value === 'string') return JSON.stringify(value.slice(0, enough));
  if (Array.isArray(value)) return `[${join(value, enough, (item) => toJsonText(item, enough))}]`;
  if (value instanceof Map) {
    return `{${join(value, enough, ([key, item]) => `${JSON.stringify(key)}:${toJsonText(item, enough)}`)}}`;
  }
  return JSON.stringify(value);
}

function join<T>(items: Iterable<T>, enough: number, format: (item: T) => string): string {
  let text = '';
  for (const item of items) {
    text += (text === '' ? '' : ',') + format(item);
    if (text.length > enough) break;
  }
  return text;
}

/** Control, format (right-to-left marks) and unpaired surrogate characters as \u escapes; not the joiner inside emoji. */
function printable(text: string): string {
  return text.replaceAll(/(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let shown = '';
  let used = 0;
  for (const character of text) {
    used += displayWidth(character);
    if (used > width - 1) break;
    shown += character;
  }
  return `${shown}…`;
}

/** Columns a text takes: 2 for East Asian characters and emoji, none for combining marks. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    width +=
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}
