/**
 * JSON text as an OTLP AnyValue, in one pass over the bytes: no JS object, no string, nothing rounded or spelled differently.
 *
 * | JSON | AnyValue |
 * | --- | --- |
 * | object | kvlist_value, keys in the order of the text; the last of equal keys wins, as in jsonb and JSON.parse |
 * | array | array_value |
 * | string | string_value; bytes_value (its WTF-8) if it contains half a surrogate pair, which UTF-8 cannot hold |
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
import { Char, type JsonCursor, skipSpace, stageText, type Written } from './jsonCursor.ts';
import { falseValue, nullValue, trueValue, writeLiteral, writeText, writeVerbatim } from './jsonLiteral.ts';
import { writeNumber } from './jsonNumber.ts';
import { copyPlain, writeString } from './jsonString.ts';
import type { OutputBuffer } from './outputBuffer.ts';
import { keepLastOfEqualKeys } from './uniqueKeys.ts';
import {
  AnyValueTag,
  closeElement,
  closeLength,
  closeMember,
  elementTag,
  KeyValueTag,
  varintSize,
  writeVarint,
} from './wire.ts';

/**
 * How many levels of containers stay structured; the outermost is 1. Decoders in Rust, C++, Java and JS refuse more
 * than 100 nested messages, and then the whole request. An object level costs 3 (KeyValueList,
 * KeyValue, AnyValue), and 5 are around the body (request, ResourceLogs, ScopeLogs, LogRecord, AnyValue):
 * 5 + 24 · 3 = 77, which leaves room for receivers that wrap the request again.
 */
export const maxDepth = 24;

/**
 * Appends a field of type AnyValue to `out`: `tag`, length, and the value of `text`. Never fails: text that is not JSON
 * becomes a string_value of the whole text, and text that is not UTF-8 a bytes_value.
 *
 * Returns whether the value is canonical as it stands: every map's keys are in jsonb's order and none is empty, and no double is
 * a negative zero. False may also mean that this was not followed to the end.
 */
export function writeJsonField(out: OutputBuffer, tag: number, text: Uint8Array): boolean {
  if (isUtf8(text)) {
    const cursor = stageText(out, text);
    const start = out.end;
    cursor.bytes[start] = tag;
    cursor.pos = start + 2;
    cursor.at = skipSpace(cursor.bytes, cursor.at);
    const written = writeValue(cursor, 1);
    if (written !== 'malformed' && skipSpace(cursor.bytes, cursor.at) === cursor.textEnd) {
      out.end = closeField(cursor, start, written);
      return cursor.isCanonical;
    }
    writeWhole(out, tag, AnyValueTag.string, text);
  } else {
    writeWhole(out, tag, AnyValueTag.bytes, text);
  }
  return true;
}

/** Two tags, two lengths of at most five bytes, and the growth of the record's own length. */
const maxFrameBytes = 16;

function writeWhole(out: OutputBuffer, tag: number, kind: number, text: Uint8Array): void {
  out.reserve(text.length + maxFrameBytes);
  const bytes = out.bytes;
  bytes[out.end] = tag;
  let pos = writeVarint(bytes, out.end + 1, 1 + varintSize(text.length) + text.length);
  bytes[pos] = kind;
  pos = writeVarint(bytes, pos + 1, text.length);
  bytes.set(text, pos);
  out.end = pos + text.length;
}

function writeValue(cursor: JsonCursor, depth: number): Written {
  const bytes = cursor.bytes;
  const c = bytes[cursor.at];
  switch (c) {
    case Char.openBrace:
    case Char.openBracket:
      if (depth > maxDepth) return writeVerbatim(cursor);
      return c === Char.openBrace ? writeObject(cursor, depth) : writeArray(cursor, depth);
    case Char.quote:
      return writeStringValue(cursor);
    case 0x74:
      return writeLiteral(cursor, trueValue);
    case 0x66:
      return writeLiteral(cursor, falseValue);
    case 0x6e:
      return writeLiteral(cursor, nullValue);
    default:
      return writeNumber(cursor);
  }
}

/** Fills in the lengths of the AnyValue field from `start` to the cursor. Returns the new end. */
function closeField(cursor: JsonCursor, start: number, written: 'complete' | 'open'): number {
  if (written === 'open') return closeElement(cursor.bytes, start, cursor.pos);
  return closeLength(cursor.bytes, start + 1, 1, cursor.pos);
}

/** kvlist_value: `values` = KeyValue { key, value }. */
function writeObject(cursor: JsonCursor, depth: number): Written {
  const { bytes, view, at: objectAt, pos: objectPos } = cursor;
  bytes[objectPos] = AnyValueTag.kvlist;
  cursor.pos += 2;
  cursor.at = skipSpace(bytes, cursor.at + 1);
  if (bytes[cursor.at] === Char.closeBrace) {
    cursor.at++;
    return 'open';
  }
  let at = cursor.at;
  let pos = cursor.pos;
  let asText = false;
  let sorted = true;
  let previousKey = 0;
  let previousLength = 0; // so that an empty key counts as out of order, which makes the map not canonical
  for (;;) {
    if (bytes[at] !== Char.quote) return 'malformed';
    const member = pos;
    bytes[member] = elementTag;
    bytes[member + 2] = KeyValueTag.key;
    const key = at + 1;
    let keyLength = copyPlain(view, key, member + 4);
    at = key + keyLength + 1;
    pos = member + 4 + keyLength;
    if (bytes[at - 1] === Char.quote) {
      sorted =
        sorted &&
        (keyLength > previousLength ||
          (keyLength === previousLength && isGreater(bytes, key, previousKey, keyLength)));
      previousKey = key;
      previousLength = keyLength;
    } else {
      cursor.at = at - 1;
      cursor.pos = pos;
      const kind = writeString(cursor);
      if (kind === 'malformed') return kind;
      if (kind === 'lone-surrogate') asText = true;
      at = cursor.at;
      pos = cursor.pos;
      keyLength = pos - member - 4;
      sorted = false;
    }
    if (keyLength < 0x80) bytes[member + 3] = keyLength;
    else pos = closeLength(bytes, member + 3, 1, pos);

    at = skipSpace(bytes, at);
    if (bytes[at] !== Char.colon) return 'malformed';
    at = skipSpace(bytes, at + 1);

    const valueAt = pos;
    bytes[valueAt] = KeyValueTag.value;
    const isString = bytes[at] === Char.quote;
    const plain = isString ? copyPlain(view, at + 1, valueAt + 4) : 0;
    if (isString && bytes[at + 1 + plain] === Char.quote) {
      bytes[valueAt + 2] = AnyValueTag.string;
      at += plain + 2;
      pos = closeMember(bytes, member, valueAt, valueAt + 4 + plain);
    } else {
      cursor.at = at;
      cursor.pos = valueAt + 2;
      const written = writeValue(cursor, depth + 1);
      if (written === 'malformed') return written;
      at = cursor.at;
      if (written === 'open') {
        pos = closeMember(bytes, member, valueAt, cursor.pos);
      } else {
        bytes[valueAt + 1] = cursor.pos - valueAt - 2;
        pos = closeLength(bytes, member + 1, 1, cursor.pos);
      }
    }

    at = skipSpace(bytes, at);
    if (bytes[at] === Char.closeBrace) break;
    if (bytes[at] !== Char.comma) return 'malformed';
    at = skipSpace(bytes, at + 1);
  }
  cursor.at = at + 1;
  if (asText) {
    cursor.pos = objectPos;
    return writeText(cursor, objectAt);
  }
  cursor.pos = sorted ? pos : keepLastOfEqualKeys(bytes, objectPos + 2, pos);
  cursor.isCanonical &&= sorted;
  return 'open';
}

/** array_value: `values` = AnyValue. */
function writeArray(cursor: JsonCursor, depth: number): Written {
  const { bytes } = cursor;
  bytes[cursor.pos] = AnyValueTag.array;
  cursor.pos += 2;
  cursor.at = skipSpace(bytes, cursor.at + 1);
  if (bytes[cursor.at] === Char.closeBracket) {
    cursor.at++;
    return 'open';
  }
  for (;;) {
    const element = cursor.pos;
    bytes[element] = elementTag;
    cursor.pos = element + 2;
    const written = writeValue(cursor, depth + 1);
    if (written === 'malformed') return written;
    cursor.pos = closeField(cursor, element, written);
    cursor.at = skipSpace(bytes, cursor.at);
    if (bytes[cursor.at] === Char.closeBracket) break;
    if (bytes[cursor.at] !== Char.comma) return 'malformed';
    cursor.at = skipSpace(bytes, cursor.at + 1);
  }
  cursor.at++;
  return 'open';
}

function writeStringValue(cursor: JsonCursor): Written {
  const start = cursor.pos;
  cursor.at++;
  cursor.pos = start + 2;
  const kind = writeString(cursor);
  if (kind === 'malformed') return kind;
  cursor.bytes[start] = kind === 'text' ? AnyValueTag.string : AnyValueTag.bytes;
  return 'open';
}

/** Whether the key at `a` comes after the key at `b` of the same length: jsonb's order is by length, then by bytes. */
function isGreater(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const difference = (bytes[a + i] ?? 0) - (bytes[b + i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
