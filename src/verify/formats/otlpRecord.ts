/**
 * A record of OTLP/JSON in the one spelling that a fingerprint is made of (`src/ledger/fingerprint.ts`), whatever a Collector did to it that
 * changes no content: order of fields, attributes and keys, numbers as text, values that are left out or null, unknown fields.
 */
import { hash } from 'node:crypto';
import {
  AnyValueTag,
  closeLength,
  elementTag,
  KeyValueTag,
  LogRecordTag,
  writeBigInt,
  writeInt,
} from '../../otlp/encode/wire.ts';

type Json = Readonly<Record<string, unknown>>;

/** The entry's own attributes, in the order in which they are hashed. */
const ownAttributes = new Map(
  [
    'log.record.uid',
    'audit.entry.id',
    'audit.event.type',
    'user.id',
    'user.name',
    'audit.session.type',
    'audit.project.id',
  ].map((key, at) => [key, at]),
);
const eventTypeAt = 2;

let bytes = Buffer.alloc(1_048_576);
let view = new DataView(bytes.buffer);
let end = 0;

/**
 * The record's fingerprint: 32 bytes. @param attributes of the record, each with a key.
 *
 * @throws Error when it is none that the product can have sent, or one that two readers may read differently.
 */
export function fingerprintRecord(record: Json, attributes: readonly Json[]): Buffer {
  end = 0;
  const nanos = toBigInt(either(record, 'timeUnixNano', 'time_unix_nano') ?? 0);
  if (nanos !== 0n) {
    reserve(16);
    bytes[end] = LogRecordTag.timeUnixNano;
    view.setBigUint64(end + 1, BigInt.asUintN(64, nanos), true);
    end += 9;
  }
  writeValueField(LogRecordTag.body, record['body']);
  const own: Json[][] = [[], [], [], [], [], [], []];
  for (const attribute of attributes) {
    const at = ownAttributes.get(attribute['key'] as string);
    // An attribute that is there twice is in it twice, and so never equal.
    if (at !== undefined) own[at]?.push(attribute);
  }
  for (const same of own) for (const attribute of same) writeMember(LogRecordTag.attributes, attribute);
  // Collectors before 0.128 lost the event name of JSON; the attribute beside it has it.
  const eventName = either(record, 'eventName', 'event_name') || nameOf(own[eventTypeAt]?.[0]?.['value']);
  if (typeof eventName === 'string' && eventName !== '') writeTextField(LogRecordTag.eventName, eventName);
  return hash('sha256', bytes.subarray(0, end), 'buffer');
}

function demand(holds: boolean): void {
  if (!holds) throw new Error('a record that no Collector writes');
}

/** A member by either spelling of its name. */
function either(owner: Json, name: string, snakeName: string): unknown {
  const [value, other] = [owner[name], owner[snakeName]];
  demand(value === undefined || other === undefined);
  return value ?? other;
}

/** The text of a string value, empty for any other. */
export function stringValueOf(value: unknown): string {
  const text = (value as Json | undefined)?.['stringValue'] ?? (value as Json | undefined)?.['string_value'];
  return typeof text === 'string' ? text : '';
}

/** The decimal text of an int value, null for any other. */
export function intValueOf(value: unknown): string | null {
  const int = (value as Json | undefined)?.['intValue'] ?? (value as Json | undefined)?.['int_value'];
  return typeof int === 'string' || typeof int === 'number' ? String(int) : null;
}

/** An event name can only be text: invalid bytes of the event type become U+FFFD in it. */
function nameOf(eventType: unknown): string {
  const bytesValue = (eventType as Json | undefined)?.['bytesValue'];
  return typeof bytesValue === 'string'
    ? new TextDecoder().decode(Buffer.from(bytesValue, 'base64'))
    : stringValueOf(eventType);
}

function writeValueField(tag: number, value: unknown): void {
  const start = open(tag);
  writeValue(value);
  close(start);
}

/** The content of an AnyValue: nothing for a value that is not set. */
function writeValue(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  let isWritten = false;
  for (const kind in value) {
    const content = (value as Json)[kind];
    const write = content === null ? undefined : valueWriters[kind];
    if (write === undefined) continue;
    demand(!isWritten);
    write(content);
    isWritten = true;
  }
}

type WriteValue = (content: unknown) => void;

const valueWriters: Readonly<Record<string, WriteValue>> = withSnakeCase({
  stringValue: (content) => {
    demand(typeof content === 'string');
    writeTextField(AnyValueTag.string, String(content));
  },
  boolValue: (content) => {
    demand(typeof content === 'boolean');
    writeBytes(AnyValueTag.bool, content === true ? 1 : 0);
  },
  intValue: (content) => {
    demand(typeof content === 'number' || /^-?\d+$/.test(String(content)));
    reserve(16);
    bytes[end] = AnyValueTag.int;
    const small = Number(content);
    end = Number.isSafeInteger(small)
      ? writeInt(bytes, end + 1, small)
      : writeBigInt(bytes, end + 1, toBigInt(content));
  },
  doubleValue: (content) => {
    demand(typeof content === 'number' || /^[-+\w.]+$/.test(String(content)));
    reserve(16);
    bytes[end] = AnyValueTag.double;
    view.setFloat64(end + 1, Number(content) + 0, true); // −0 + 0 is 0
    end += 9;
  },
  bytesValue: (content) => {
    demand(/^[\w+/-]*={0,2}$/.test(String(content)));
    const value = Buffer.from(String(content), 'base64');
    const start = open(AnyValueTag.bytes);
    reserve(value.length);
    bytes.set(value, end);
    end += value.length;
    close(start);
  },
  arrayValue: (content) => {
    const start = open(AnyValueTag.array);
    for (const value of listOf(content)) writeValueField(elementTag, value);
    close(start);
  },
  kvlistValue: (content) => {
    const members = listOf(content) as Json[];
    const start = open(AnyValueTag.kvlist);
    const first = end;
    if (!writeOrdered(members)) {
      end = first;
      for (const member of members.toSorted(compareKeys)) writeMember(elementTag, member);
    }
    close(start);
  },
});

function withSnakeCase(writers: Readonly<Record<string, WriteValue>>): Record<string, WriteValue> {
  const names = Object.entries(writers).map(([name, write]) => [name.replace('Value', '_value'), write]);
  return Object.assign(Object.create(null), writers, Object.fromEntries(names));
}

/** Writes members whose keys are in order already, as they nearly always are; false as soon as two are not. */
function writeOrdered(members: readonly Json[]): boolean {
  let previous: Json | null = null;
  for (const member of members) {
    if (previous !== null && compareKeys(previous, member) > 0) return false;
    writeMember(elementTag, member);
    previous = member;
  }
  return true;
}

function writeMember(tag: number, member: Json): void {
  const start = open(tag);
  const key = keyOf(member);
  if (key !== '') writeTextField(KeyValueTag.key, key);
  writeValueField(KeyValueTag.value, member['value']);
  close(start);
}

function keyOf(member: Json): string {
  return typeof member?.['key'] === 'string' ? member['key'] : '';
}

/** By length, then by bytes, in UTF-8. */
function compareKeys(a: Json, b: Json): number {
  const [left, right] = [keyOf(a), keyOf(b)];
  const leftBytes = Buffer.byteLength(left);
  const rightBytes = Buffer.byteLength(right);
  if (leftBytes !== rightBytes) return leftBytes - rightBytes;
  if (left === right) return 0;
  if (left.length === leftBytes && right.length === rightBytes) return left < right ? -1 : 1;
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function listOf(content: unknown): readonly unknown[] {
  const values = (content as Json | null)?.['values'] ?? [];
  demand(Array.isArray(values));
  return values as readonly unknown[];
}

function writeTextField(tag: number, text: string): void {
  const start = open(tag);
  reserve(text.length * 3);
  if (text.length < shortText && writeAscii(text)) end += text.length;
  else end += bytes.write(text, end);
  close(start);
}

/** Below this a loop beats the call into the engine. */
const shortText = 24;

function writeAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 0x7f) return false;
    bytes[end + i] = c;
  }
  return true;
}

function writeBytes(first: number, second: number): void {
  reserve(2);
  bytes[end++] = first;
  bytes[end++] = second;
}

/** Begins a length-delimited field, with one byte kept for its length. */
function open(tag: number): number {
  reserve(16);
  bytes[end] = tag;
  end += 2;
  return end - 1;
}

/** Its length may take four bytes more than were kept. */
function close(lengthAt: number): void {
  reserve(8);
  end = closeLength(bytes, lengthAt, 1, end);
}

function reserve(size: number): void {
  if (end + size <= bytes.length) return;
  const grown = Buffer.alloc(Math.max(end + size, bytes.length * 2));
  grown.set(bytes.subarray(0, end));
  bytes = grown;
  view = new DataView(bytes.buffer);
}

/** @throws SyntaxError when the text is no integer, RangeError when the number is none. */
function toBigInt(value: unknown): bigint {
  return BigInt(typeof value === 'number' ? value : String(value));
}
