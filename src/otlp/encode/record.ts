/**
 * An entry as a LogRecord. First comes a block that is the same in every record except in three places (times,
 * severity, uid, stream), then the attributes that vary, the event name and the body.
 */
import { isUtf8 } from 'node:buffer';
import type { Entry, RecordContext, StreamIdentity } from '../../model/entry.ts';
import { keyField, stringAttribute, text, trueAttribute } from './constants.ts';
import { writeJsonField } from './jsonValue.ts';
import type { OutputBuffer } from './outputBuffer.ts';
import {
  AnyValueTag,
  closeLength,
  KeyValueTag,
  LogRecordTag,
  varintSize,
  writeBigInt,
  writeInt,
  writeNanos,
  writeVarint,
} from './wire.ts';

/** SeverityNumber INFO (logs.proto). */
const info = 9;

/** Bytes of a record that are not text of the entry: keys, tags and lengths of the variable attributes. */
const maxOverheadBytes = 512;

/** Offsets of the places in the constant block. */
const timeAt = 1;
const observedAt = 12;

const entryId = keyField('audit.entry.id');
const eventType = keyField('audit.event.type');
const userId = keyField('user.id');
const userName = keyField('user.name');
const sessionType = keyField('audit.session.type');
const projectId = keyField('audit.project.id');
const sequenceNumber = keyField('audit.sequence.number');

/** Encodes the entries of one stream. */
export class RecordEncoder {
  readonly #block: Uint8Array;
  /** Offset of the uid's text in the block. */
  readonly #uidAt: number;

  constructor(identity: StreamIdentity) {
    const uid = stringAttribute(
      LogRecordTag.attributes,
      'log.record.uid',
      '00000000-0000-0000-0000-000000000000',
    );
    const times = Buffer.alloc(20);
    times[0] = LogRecordTag.timeUnixNano;
    times[9] = LogRecordTag.severityNumber;
    times[10] = info;
    times[11] = LogRecordTag.observedTimeUnixNano;
    this.#uidAt = times.length + uid.length - 36;
    this.#block = Buffer.concat([
      times,
      uid,
      stringAttribute(LogRecordTag.attributes, 'audit.stream.id', identity.streamId),
      ...(identity.isTest ? [trueAttribute(LogRecordTag.attributes, 'audit.test')] : []),
    ]);
  }

  /** Appends a field of type LogRecord with the given tag. */
  write(out: OutputBuffer, tag: number, entry: Entry, context: RecordContext): void {
    out.reserve(
      maxOverheadBytes +
        this.#block.length +
        2 * entry.eventType.length +
        (entry.actorId?.length ?? 0) +
        (entry.actorName?.length ?? 0) +
        entry.sessionType.length +
        (entry.project?.length ?? 0),
    );
    const bytes = out.bytes;
    const start = out.end;
    bytes[start] = tag;
    const block = start + 3; // the length of a record nearly always takes two bytes
    bytes.set(this.#block, block);
    writeNanos(out.view, block + timeAt, entry.occurredAtMicros);
    writeNanos(out.view, block + observedAt, context.observedAtMicros);
    writeUuid(bytes, block + this.#uidAt, entry.uid);

    let pos = block + this.#block.length;
    pos = writeIntAttribute(bytes, pos, entryId, entry.id);
    pos = writeIntAttribute(bytes, pos, sequenceNumber, context.sequence);
    pos = writeTextAttribute(bytes, pos, eventType, entry.eventType);
    if (entry.actorId !== null) pos = writeTextAttribute(bytes, pos, userId, entry.actorId);
    if (entry.actorName !== null) pos = writeTextAttribute(bytes, pos, userName, entry.actorName);
    pos = writeTextAttribute(bytes, pos, sessionType, entry.sessionType);
    if (entry.project !== null) pos = writeTextAttribute(bytes, pos, projectId, entry.project);

    bytes[pos] = LogRecordTag.eventName;
    const name = isText(entry.eventType) ? entry.eventType : replaceInvalid(entry.eventType);
    pos = writeVarint(bytes, pos + 1, name.length);
    out.end = copy(bytes, pos, name);

    writeJsonField(out, LogRecordTag.body, entry.metadata);
    out.end = closeLength(out.bytes, start + 1, 2, out.end);
  }
}

function writeIntAttribute(
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
function writeTextAttribute(bytes: Uint8Array, start: number, key: Uint8Array, value: Uint8Array): number {
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

/** LogRecord.event_name can only be a string: its invalid bytes become U+FFFD; the attribute beside it keeps them. */
function replaceInvalid(value: Uint8Array): Uint8Array {
  return text(new TextDecoder().decode(value));
}

/** 8-4-4-4-12 in lower case: RFC 9562, section 4. */
function writeUuid(bytes: Uint8Array, start: number, uuid: Uint8Array): void {
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
