/** JSON strings as UTF-8 bytes. */
import { Char, type JsonCursor, PLAIN } from './jsonCursor.ts';

export type StringKind =
  | 'text'
  /** It names half of a surrogate pair, which UTF-8 cannot hold: written as the three bytes WTF-8 gives it. */
  | 'lone-surrogate'
  | 'malformed';

/**
 * Writes the string at the cursor up to its closing quote, escapes decoded. On entry `at` is anywhere inside the
 * string (not within an escape), with what came before it already written; on return it is behind the quote.
 */
export function writeString(cursor: JsonCursor): StringKind {
  const bytes = cursor.bytes;
  let kind: StringKind = 'text';
  let at = cursor.at;
  let pos = cursor.pos;
  for (;;) {
    let c = bytes[at] ?? 0;
    while (PLAIN[c] === 1) {
      bytes[pos++] = c;
      c = bytes[++at] ?? 0;
    }
    if (c === Char.quote) break;
    if (c !== Char.backslash) return 'malformed';
    const letter = bytes[at + 1] ?? 0;
    at += 2;
    if (letter !== 0x75) {
      const short = SHORT_ESCAPES[letter] ?? 0;
      if (short === 0) return 'malformed';
      bytes[pos++] = short;
      continue;
    }
    let point = readHex4(bytes, at);
    if (point < 0) return 'malformed';
    at += 4;
    if (point >= 0xd800 && point < 0xdc00 && bytes[at] === Char.backslash && bytes[at + 1] === 0x75) {
      const low = readHex4(bytes, at + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      }
    }
    if (point >= 0xd800 && point < 0xe000) kind = 'lone-surrogate';
    pos = writeCodePoint(bytes, pos, point);
  }
  cursor.at = at + 1;
  cursor.pos = pos;
  return kind;
}

/** `\n` and its like: what the letter stands for, 0 where there is no such escape. */
const SHORT_ESCAPES = new Uint8Array(256);
for (const [letter, meaning] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => [
  ...pair,
])) {
  SHORT_ESCAPES[letter?.charCodeAt(0) ?? 0] = meaning?.charCodeAt(0) ?? 0;
}

/** Four hexadecimal digits, or -1. */
function readHex4(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const c = bytes[at + i] ?? 0;
    const letter = c | 0x20;
    if (c >= 0x30 && c <= 0x39) value = value * 16 + c - 0x30;
    else if (letter >= 0x61 && letter <= 0x66) value = value * 16 + letter - 0x61 + 10;
    else return -1;
  }
  return value;
}

function writeCodePoint(bytes: Uint8Array, pos: number, point: number): number {
  if (point < 0x80) {
    bytes[pos++] = point;
  } else if (point < 0x800) {
    bytes[pos++] = 0xc0 | (point >> 6);
    bytes[pos++] = 0x80 | (point & 0x3f);
  } else if (point < 0x10000) {
    bytes[pos++] = 0xe0 | (point >> 12);
    bytes[pos++] = 0x80 | ((point >> 6) & 0x3f);
    bytes[pos++] = 0x80 | (point & 0x3f);
  } else {
    bytes[pos++] = 0xf0 | (point >> 18);
    bytes[pos++] = 0x80 | ((point >> 12) & 0x3f);
    bytes[pos++] = 0x80 | ((point >> 6) & 0x3f);
    bytes[pos++] = 0x80 | (point & 0x3f);
  }
  return pos;
}
