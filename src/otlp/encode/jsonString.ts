/** JSON strings as UTF-8 bytes. */
import { Char, type JsonCursor } from './jsonCursor.ts';

export type StringKind =
  | 'text'
  /** Half of a surrogate pair, which UTF-8 cannot hold, is written as its three bytes of WTF-8. */
  | 'lone-surrogate'
  | 'malformed';

/**
 * Copies the bytes from `at` to `pos` up to the first that does not represent itself in a JSON string: `"`, `\` or a
 * control character (RFC 8259, section 7). Returns their number; up to three bytes after them are written as well.
 *
 * Takes four bytes at a time. A byte of `word` is zero, or below n, where subtracting 1, or n, borrows its top bit; bytes
 * that had it set before (in multi-byte characters) are excluded by `~word`. A borrow can only corrupt the bytes above a
 * true hit, and the lowest hit is used.
 */
export function copyPlain(view: DataView, at: number, pos: number): number {
  let copied = 0;
  for (;;) {
    const word = view.getInt32(at + copied, true);
    view.setInt32(pos + copied, word, true);
    const quote = (word ^ 0x22222222) - 0x01010101;
    const backslash = (word ^ 0x5c5c5c5c) - 0x01010101;
    const control = word - 0x20202020;
    const hits = (quote | backslash | control) & ~word & 0x80808080;
    if (hits !== 0) return copied + ((31 - Math.clz32(hits & -hits)) >> 3);
    copied += 4;
  }
}

/**
 * Writes the string at the cursor up to its closing quote, escapes decoded. On entry `at` is anywhere inside the
 * string (not within an escape), with everything before it already written; on return it is past the quote.
 */
export function writeString(cursor: JsonCursor): StringKind {
  const { bytes, view } = cursor;
  let kind: StringKind = 'text';
  let at = cursor.at;
  let pos = cursor.pos;
  for (;;) {
    const plain = copyPlain(view, at, pos);
    at += plain;
    pos += plain;
    const c = bytes[at];
    if (c === Char.quote) break;
    if (c !== Char.backslash) return 'malformed';
    const letter = bytes[at + 1] ?? 0;
    at += 2;
    if (letter !== 0x75) {
      const short = shortEscapes[letter] ?? 0;
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

/** `\n` and the like: the byte that the letter stands for, 0 if there is no such escape. */
const shortEscapes = new Uint8Array(256);
for (const [letter, meaning] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) => [
  ...pair,
])) {
  shortEscapes[letter?.charCodeAt(0) ?? 0] = meaning?.charCodeAt(0) ?? 0;
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
