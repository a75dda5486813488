/** `true`, `false` and `null`, and JSON that is passed on as text. */
import { Char, type JsonCursor, plain, type Written } from './jsonCursor.ts';
import { AnyValueTag } from './wire.ts';

interface Literal {
  readonly text: Uint8Array;
  /** Content of the AnyValue; null is an empty one. */
  readonly value: Uint8Array;
}

export const trueValue: Literal = { text: Buffer.from('true'), value: Uint8Array.of(AnyValueTag.bool, 1) };
export const falseValue: Literal = { text: Buffer.from('false'), value: Uint8Array.of(AnyValueTag.bool, 0) };
export const nullValue: Literal = { text: Buffer.from('null'), value: new Uint8Array(0) };

export function writeLiteral(cursor: JsonCursor, literal: Literal): Written {
  const { text, value } = literal;
  for (let i = 0; i < text.length; i++) {
    if (cursor.bytes[cursor.at + i] !== text[i]) return 'malformed';
  }
  for (let i = 0; i < value.length; i++) cursor.bytes[cursor.pos + i] = value[i] ?? 0;
  cursor.at += text.length;
  cursor.pos += value.length;
  return 'complete';
}

/** The container at the cursor as a string_value: its text, byte for byte. It scans, so any depth works. */
export function writeVerbatim(cursor: JsonCursor): Written {
  const { bytes, at: start } = cursor;
  let at = start;
  let open = 0;
  do {
    const c = bytes[at] ?? 0;
    if (c === Char.quote) {
      at = skipString(bytes, at);
      continue;
    }
    if (c === 0) return 'malformed';
    if (c === Char.openBrace || c === Char.openBracket) open++;
    else if (c === Char.closeBrace || c === Char.closeBracket) open--;
    at++;
  } while (open > 0);
  cursor.at = at;
  return writeText(cursor, start);
}

/** The JSON text from `start` to the cursor as a string_value. */
export function writeText(cursor: JsonCursor, start: number): Written {
  const { bytes, at, pos } = cursor;
  bytes[pos] = AnyValueTag.string;
  bytes.copyWithin(pos + 2, start, at);
  cursor.pos = pos + 2 + at - start;
  return 'open';
}

/** Moves from an opening quote past the closing one; without a closing one, to a byte that no string may contain. */
function skipString(bytes: Uint8Array, quoteAt: number): number {
  let at = quoteAt + 1;
  for (;;) {
    const c = bytes[at] ?? 0;
    if (plain[c] === 1) at++;
    else if (c === Char.backslash) at += 2;
    else return c === Char.quote ? at + 1 : at;
  }
}
