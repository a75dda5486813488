/**
 * JSON text as an OTLP AnyValue, in one pass over the bytes: no JS object, no string, nothing rounded or re-spelled.
 *
 * | JSON | AnyValue |
 * | --- | --- |
 * | object | kvlist_value, keys in the order of the text; of equal keys the last one stays, as in jsonb and JSON.parse |
 * | array | array_value |
 * | string | string_value; with half a surrogate pair in it bytes_value (its WTF-8), as UTF-8 cannot hold that |
 * | integer in int64 | int_value (`-0`: double_value) |
 * | decimal that a double holds exactly | double_value |
 * | any other number | string_value, its text |
 * | true, false | bool_value |
 * | null | empty AnyValue |
 * | container deeper than `MAX_DEPTH` | string_value, its JSON text as stored |
 * | object with half a surrogate pair in a key | string_value, its JSON text as stored: keys cannot be bytes |
 *
 * Sources: logs.proto and common.proto; opentelemetry-specification common/README.md (null is kept, keys are unique)
 * and common/attribute-type-mapping.md.
 */
import { isUtf8 } from 'node:buffer';
import { Char, type JsonCursor, PLAIN, skipSpace, stageText } from './jsonCursor.ts';
import { writeNumber } from './jsonNumber.ts';
import { writeString } from './jsonString.ts';
import type { OutputBuffer } from './outputBuffer.ts';
import { keepLastOfEqualKeys } from './uniqueKeys.ts';
import { AnyValueTag, closeLength, ELEMENT_TAG, KeyValueTag, varintSize, writeVarint } from './wire.ts';

/**
 * Containers inside each other that stay structured; the outermost is 1. Decoders in Rust, C++, Java and JS refuse more
 * than 100 messages inside each other, and refuse the whole request then. An object level costs 3 (KeyValueList,
 * KeyValue, AnyValue), and 5 are around the body (request, ResourceLogs, ScopeLogs, LogRecord, AnyValue):
 * 5 + 24 · 3 = 77, which leaves room for receivers that wrap what they got once more.
 */
export const MAX_DEPTH = 24;

/**
 * Appends a field of type AnyValue to `out`: `tag`, length, and the value of `text`. Never fails: what is not JSON
 * becomes a string_value of the whole text, and what is not UTF-8 a bytes_value.
 */
export function writeJsonField(out: OutputBuffer, tag: number, text: Uint8Array): void {
  if (isUtf8(text)) {
    const cursor = stageText(out, text);
    const start = out.end;
    cursor.bytes[start] = tag;
    cursor.pos = start + 3;
    cursor.at = skipSpace(cursor.bytes, cursor.at);
    if (writeValue(cursor, 1) && skipSpace(cursor.bytes, cursor.at) === cursor.textEnd) {
      out.end = closeLength(cursor.bytes, start + 1, 2, cursor.pos);
    } else {
      writeWhole(out, tag, AnyValueTag.string, text);
    }
  } else {
    writeWhole(out, tag, AnyValueTag.bytes, text);
  }
}

function writeWhole(out: OutputBuffer, tag: number, kind: number, text: Uint8Array): void {
  out.reserve(text.length + 16);
  const bytes = out.bytes;
  bytes[out.end] = tag;
  let pos = writeVarint(bytes, out.end + 1, 1 + varintSize(text.length) + text.length);
  bytes[pos] = kind;
  pos = writeVarint(bytes, pos + 1, text.length);
  bytes.set(text, pos);
  out.end = pos + text.length;
}

/** Writes the content of one AnyValue. False: the text is malformed, and what has been written of it is void. */
function writeValue(cursor: JsonCursor, depth: number): boolean {
  const bytes = cursor.bytes;
  switch (bytes[cursor.at]) {
    case Char.openBrace:
      return depth > MAX_DEPTH ? writeVerbatim(cursor) : writeObject(cursor, depth);
    case Char.openBracket:
      return depth > MAX_DEPTH ? writeVerbatim(cursor) : writeArray(cursor, depth);
    case Char.quote:
      return writeStringValue(cursor);
    case 0x74:
      return writeLiteral(cursor, TRUE) && writeBool(cursor, 1);
    case 0x66:
      return writeLiteral(cursor, FALSE) && writeBool(cursor, 0);
    case 0x6e:
      return writeLiteral(cursor, NULL);
    default:
      return writeNumber(cursor);
  }
}

/** kvlist_value: `values` = KeyValue { key, value }. */
function writeObject(cursor: JsonCursor, depth: number): boolean {
  const bytes = cursor.bytes;
  const objectAt = cursor.at;
  const objectPos = cursor.pos;
  bytes[objectPos] = AnyValueTag.kvlist;
  let pos = objectPos + 3; // most objects take a length of two bytes
  const first = pos;
  let at = skipSpace(bytes, objectAt + 1);
  if (bytes[at] === Char.closeBrace) {
    bytes[objectPos + 1] = 0;
    cursor.at = at + 1;
    cursor.pos = objectPos + 2;
    return true;
  }
  let sorted = true;
  let previousKey = at;
  let previousLength = -1;
  for (;;) {
    if (bytes[at] !== Char.quote) return false;
    // KeyValue: 0a LENGTH 0a KEY-LENGTH key 12 VALUE-LENGTH value; lengths of one byte are assumed and widened later.
    const member = pos;
    bytes[member] = ELEMENT_TAG;
    bytes[member + 2] = KeyValueTag.key;
    pos += 4;
    const keyAt = ++at;
    let c = bytes[at] ?? 0;
    while (PLAIN[c] === 1) {
      bytes[pos++] = c;
      c = bytes[++at] ?? 0;
    }
    if (c === Char.quote) {
      const length = at - keyAt;
      if (sorted) {
        sorted =
          length > previousLength ||
          (length === previousLength && isGreater(bytes, keyAt, previousKey, length));
        previousKey = keyAt;
        previousLength = length;
      }
      at++;
    } else {
      cursor.at = at;
      cursor.pos = pos;
      const kind = writeString(cursor);
      if (kind === 'malformed') return false;
      if (kind === 'lone-surrogate') {
        cursor.at = objectAt;
        cursor.pos = objectPos;
        return writeVerbatim(cursor);
      }
      at = cursor.at;
      pos = cursor.pos;
      sorted = false;
    }
    const keyLength = pos - member - 4;
    if (keyLength < 0x80) bytes[member + 3] = keyLength;
    else pos = closeLength(bytes, member + 3, 1, pos);

    if (bytes[at] !== Char.colon) {
      at = skipSpace(bytes, at);
      if (bytes[at] !== Char.colon) return false;
    }
    c = bytes[++at] ?? 0;
    if (c === Char.space) c = bytes[++at] ?? 0; // jsonb writes exactly one
    if (c <= Char.space) {
      at = skipSpace(bytes, at);
      c = bytes[at] ?? 0;
    }

    bytes[pos] = KeyValueTag.value;
    const value = pos + 1;
    if (c === Char.quote) {
      bytes[value + 1] = AnyValueTag.string;
      pos = value + 3;
      c = bytes[++at] ?? 0;
      while (PLAIN[c] === 1) {
        bytes[pos++] = c;
        c = bytes[++at] ?? 0;
      }
      const length = pos - value - 3;
      if (c === Char.quote && pos - member < 130) {
        bytes[value + 2] = length;
        bytes[value] = length + 2;
        bytes[member + 1] = pos - member - 2;
        at++;
      } else {
        cursor.at = at;
        cursor.pos = pos;
        const kind = writeString(cursor);
        if (kind === 'malformed') return false;
        if (kind === 'lone-surrogate') bytes[value + 1] = AnyValueTag.bytes;
        at = cursor.at;
        pos = closeLength(bytes, value + 2, 1, cursor.pos);
        pos = closeLength(bytes, value, 1, pos);
        pos = closeLength(bytes, member + 1, 1, pos);
      }
    } else {
      cursor.at = at;
      cursor.pos = value + 1;
      if (!writeValue(cursor, depth + 1)) return false;
      at = cursor.at;
      pos = closeLength(bytes, value, 1, cursor.pos);
      pos = closeLength(bytes, member + 1, 1, pos);
    }

    c = bytes[at] ?? 0;
    if (c <= Char.space) {
      at = skipSpace(bytes, at);
      c = bytes[at] ?? 0;
    }
    if (c === Char.closeBrace) break;
    if (c !== Char.comma) return false;
    c = bytes[++at] ?? 0;
    if (c === Char.space) c = bytes[++at] ?? 0;
    if (c <= Char.space) at = skipSpace(bytes, at);
  }
  if (!sorted) pos = keepLastOfEqualKeys(bytes, first, pos);
  cursor.at = at + 1;
  cursor.pos = closeLength(bytes, objectPos + 1, 2, pos);
  return true;
}

/** array_value: `values` = AnyValue. */
function writeArray(cursor: JsonCursor, depth: number): boolean {
  const bytes = cursor.bytes;
  const start = cursor.pos;
  bytes[start] = AnyValueTag.array;
  cursor.pos = start + 2;
  cursor.at = skipSpace(bytes, cursor.at + 1);
  if (bytes[cursor.at] === Char.closeBracket) {
    bytes[start + 1] = 0;
    cursor.at++;
    return true;
  }
  for (;;) {
    const element = cursor.pos;
    bytes[element] = ELEMENT_TAG;
    cursor.pos = element + 2;
    if (!writeValue(cursor, depth + 1)) return false;
    cursor.pos = closeLength(bytes, element + 1, 1, cursor.pos);
    cursor.at = skipSpace(bytes, cursor.at);
    if (bytes[cursor.at] === Char.closeBracket) break;
    if (bytes[cursor.at] !== Char.comma) return false;
    cursor.at = skipSpace(bytes, cursor.at + 1);
  }
  cursor.at++;
  cursor.pos = closeLength(bytes, start + 1, 1, cursor.pos);
  return true;
}

function writeStringValue(cursor: JsonCursor): boolean {
  const start = cursor.pos;
  cursor.at++;
  cursor.pos = start + 2;
  const kind = writeString(cursor);
  if (kind === 'malformed') return false;
  cursor.bytes[start] = kind === 'text' ? AnyValueTag.string : AnyValueTag.bytes;
  cursor.pos = closeLength(cursor.bytes, start + 1, 1, cursor.pos);
  return true;
}

/** The container at the cursor as a string_value: its text, byte for byte. Scans, so that no depth is too much. */
function writeVerbatim(cursor: JsonCursor): boolean {
  const bytes = cursor.bytes;
  const start = cursor.at;
  let at = start;
  let open = 0;
  do {
    const c = bytes[at] ?? 0;
    if (c === Char.quote) {
      at = skipString(bytes, at);
      if (at < 0) return false;
      continue;
    }
    if (c === 0) return false;
    if (c === Char.openBrace || c === Char.openBracket) open++;
    else if (c === Char.closeBrace || c === Char.closeBracket) open--;
    at++;
  } while (open > 0);
  bytes[cursor.pos] = AnyValueTag.string;
  const pos = writeVarint(bytes, cursor.pos + 1, at - start);
  bytes.copyWithin(pos, start, at);
  cursor.at = at;
  cursor.pos = pos + at - start;
  return true;
}

/** From an opening quote to behind the closing one, or -1. */
function skipString(bytes: Uint8Array, quoteAt: number): number {
  let at = quoteAt + 1;
  for (;;) {
    const c = bytes[at] ?? 0;
    if (PLAIN[c] === 1) at++;
    else if (c === Char.backslash) at += 2;
    else return c === Char.quote ? at + 1 : -1;
  }
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

function writeLiteral(cursor: JsonCursor, literal: Uint8Array): boolean {
  for (let i = 0; i < literal.length; i++) {
    if (cursor.bytes[cursor.at + i] !== literal[i]) return false;
  }
  cursor.at += literal.length;
  return true;
}

function writeBool(cursor: JsonCursor, value: 0 | 1): boolean {
  cursor.bytes[cursor.pos] = AnyValueTag.bool;
  cursor.bytes[cursor.pos + 1] = value;
  cursor.pos += 2;
  return true;
}

/** Whether the key at `a` comes after the key at `b` of the same length: jsonb's order is by length, then by bytes. */
function isGreater(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const difference = (bytes[a + i] ?? 0) - (bytes[b + i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
