/** The attributes of a record, and the text of its event name, at a position in bytes with room enough. */
import { isUtf8 } from 'node:buffer';
import { keyField, text } from './constants.ts';
import {
  AnyValueTag,
  KeyValueTag,
  LogRecordTag,
  varintSize,
  writeBigInt,
  writeInt,
  writeVarint,
} from './wire.ts';

/** What an attribute is called, as the field `KeyValue.key`: these are the entry's own. */
export const ownKey = {
  uid: keyField('log.record.uid'),
  entryId: keyField('audit.entry.id'),
  eventType: keyField('audit.event.type'),
  userId: keyField('user.id'),
  userName: keyField('user.name'),
  sessionType: keyField('audit.session.type'),
  projectId: keyField('audit.project.id'),
} as const;

export function writeIntAttribute(
  bytes: Uint8Array,
  start: number,
  key: Uint8Array,
  value: number | bigint,
): number {
  bytes[start] = LogRecordTag.attributes;
  const valueAt = copy(bytes, start + 2, key);
  bytes[valueAt] = KeyValueTag.value;
  bytes[valueAt + 2] = AnyValueTag.int;
  const end =
    typeof value === 'number'
      ? writeInt(bytes, valueAt + 3, value)
      : value >= 0n && value <= maxSafe
        ? writeInt(bytes, valueAt + 3, Number(value))
        : writeBigInt(bytes, valueAt + 3, value);
  bytes[valueAt + 1] = end - valueAt - 2;
  bytes[start + 1] = end - start - 2;
  return end;
}

const maxSafe = BigInt(Number.MAX_SAFE_INTEGER);

/** A string attribute; text that is not UTF-8 (a database in SQL_ASCII can have such text) becomes a bytes_value. */
export function writeTextAttribute(
  bytes: Uint8Array,
  start: number,
  key: Uint8Array,
  value: Uint8Array,
): number {
  const length = value.length;
  const anyValueLength = 1 + varintSize(length) + length;
  const keyValueLength = key.length + 1 + varintSize(anyValueLength) + anyValueLength;
  bytes[start] = LogRecordTag.attributes;
  let pos = writeVarint(bytes, start + 1, keyValueLength);
  pos = copy(bytes, pos, key);
  bytes[pos] = KeyValueTag.value;
  pos = writeVarint(bytes, pos + 1, anyValueLength);
  bytes[pos] = isText(value) ? AnyValueTag.string : AnyValueTag.bytes;
  pos = writeVarint(bytes, pos + 1, length);
  return copy(bytes, pos, value);
}

/** Below this many bytes a loop beats the call into the engine. */
const shortBytes = 64;

function copy(bytes: Uint8Array, pos: number, value: Uint8Array): number {
  const length = value.length;
  if (length < shortBytes) {
    for (let i = 0; i < length; i++) bytes[pos + i] = value[i] ?? 0;
  } else {
    bytes.set(value, pos);
  }
  return pos + length;
}

/** Whether the bytes are UTF-8, so that a protobuf string may hold them. */
function isText(value: Uint8Array): boolean {
  if (value.length < shortBytes) {
    let all = 0;
    for (let i = 0; i < value.length; i++) all |= value[i] ?? 0;
    if (all < 0x80) return true;
  }
  return isUtf8(value);
}

/** The field LogRecord.event_name. */
export function writeEventName(bytes: Uint8Array, start: number, eventType: Uint8Array): number {
  bytes[start] = LogRecordTag.eventName;
  const name = isText(eventType) ? eventType : replaceInvalid(eventType);
  const pos = writeVarint(bytes, start + 1, name.length);
  return copy(bytes, pos, name);
}

/** LogRecord.event_name can only be a string: its invalid bytes become U+FFFD; the attribute beside it keeps them. */
function replaceInvalid(value: Uint8Array): Uint8Array {
  return text(new TextDecoder().decode(value));
}

/** 8-4-4-4-12 in lower case: RFC 9562, section 4. */
export function writeUuid(bytes: Uint8Array, start: number, uuid: Uint8Array): void {
  let pos = start;
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) pos++; // the hyphen is already in the block
    const byte = uuid[i] ?? 0;
    bytes[pos++] = hexDigit(byte >> 4);
    bytes[pos++] = hexDigit(byte & 0x0f);
  }
}

function hexDigit(value: number): number {
  return value < 10 ? 0x30 + value : 0x61 - 10 + value;
}
