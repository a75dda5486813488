/**
 * The protobuf wire format: tags of the OTLP messages, varints, fixed64. Every function writes at a position and
 * returns the position after it; the caller has reserved the room (see `OutputBuffer.reserve`).
 *
 * A tag byte is `field number << 3 | wire type`, with wire type 0 = varint, 1 = 64 bits, 2 = length-delimited.
 */

/** `opentelemetry.proto.common.v1.AnyValue`: a oneof, so the tag is written for zero, false and empty as well. */
export const AnyValueTag = {
  string: 0x0a, // 1
  bool: 0x10, // 2
  int: 0x18, // 3
  double: 0x21, // 4
  array: 0x2a, // 5
  kvlist: 0x32, // 6
  bytes: 0x3a, // 7
} as const;

/** `ArrayValue.values` and `KeyValueList.values`. */
export const elementTag = 0x0a;

export const KeyValueTag = { key: 0x0a, value: 0x12 } as const;

/** `opentelemetry.proto.logs.v1.LogRecord`. */
export const LogRecordTag = {
  timeUnixNano: 0x09, // 1
  severityNumber: 0x10, // 2
  body: 0x2a, // 5
  attributes: 0x32, // 6
  observedTimeUnixNano: 0x59, // 11
  eventName: 0x62, // 12
} as const;

const twoTo32 = 2 ** 32;

/** Number of bytes in the varint of `value`, 0 ≤ value < 2^31. */
export function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** Writes a length, 0 ≤ value < 2^31. */
export function writeVarint(bytes: Uint8Array, pos: number, value: number): number {
  let rest = value;
  while (rest > 0x7f) {
    bytes[pos++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[pos++] = rest;
  return pos;
}

/** Writes an int64 that a number holds exactly, |value| < 2^53. Negative values take ten bytes, as protobuf requires. */
export function writeInt(bytes: Uint8Array, pos: number, value: number): number {
  if (value >= 0 && value < 0x80) {
    bytes[pos] = value;
    return pos + 1;
  }
  // Floor division gives two's complement for negative values too: value = high * 2^32 + low, 0 ≤ low < 2^32.
  const high = Math.floor(value / twoTo32);
  return writeVarint64(bytes, pos, value - high * twoTo32, high);
}

/** Writes any int64. */
export function writeBigInt(bytes: Uint8Array, pos: number, value: bigint): number {
  return writeVarint64(
    bytes,
    pos,
    Number(BigInt.asUintN(32, value)),
    Number(BigInt.asUintN(32, value >> 32n)),
  );
}

function writeVarint64(bytes: Uint8Array, pos: number, low: number, high: number): number {
  low >>>= 0;
  high >>>= 0;
  while (high !== 0 || low > 0x7f) {
    bytes[pos++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  bytes[pos++] = low;
  return pos;
}

/**
 * Microseconds since the epoch as the nanoseconds of an OTLP time, little endian. The product exceeds 2^53, so it is
 * made in two 32-bit halves, each step of it exact: low · 1000 < 2^42, and high < 2^21 as micros < 2^53.
 * A time that OTLP cannot express (before 1970, infinite) is 0: "unknown" (logs.proto, `time_unix_nano`).
 */
export function writeNanos(view: DataView, pos: number, micros: number): number {
  const known = micros >= 0 && micros <= Number.MAX_SAFE_INTEGER ? micros : 0;
  const low = (known % twoTo32) * 1000;
  const high = Math.floor(known / twoTo32) * 1000 + Math.floor(low / twoTo32);
  view.setUint32(pos, low % twoTo32, true);
  view.setUint32(pos + 4, high, true);
  return pos + 8;
}

/**
 * Completes a length-delimited field whose content was written before its length was known. `lengthAt` is where
 * the length goes, `reserved` the bytes kept free for it, `end` the end of the content. The content moves only
 * if the length's varint is longer or shorter than that. Returns the new end.
 */
export function closeLength(bytes: Uint8Array, lengthAt: number, reserved: number, end: number): number {
  const length = end - lengthAt - reserved;
  const width = varintSize(length);
  if (width !== reserved) {
    bytes.copyWithin(lengthAt + width, lengthAt + reserved, end);
    end += width - reserved;
  }
  writeVarint(bytes, lengthAt, length);
  return end;
}

/**
 * Completes an AnyValue that holds `[tag, LENGTH, content]` and the field around it, together `[tag, LENGTH, tag, LENGTH,
 * content]` from `start` to `end`: one byte was reserved for each length. Returns the new end.
 */
export function closeElement(bytes: Uint8Array, start: number, end: number): number {
  const content = start + 4;
  const length = end - content;
  if (length < 0x80 - 2) {
    bytes[start + 3] = length;
    bytes[start + 1] = length + 2;
    return end;
  }
  const tag = bytes[start + 2] ?? 0;
  const valueLength = 1 + varintSize(length) + length;
  const moved = content + varintSize(valueLength) + varintSize(length) - 2;
  bytes.copyWithin(moved, content, end);
  const pos = writeVarint(bytes, start + 1, valueLength);
  bytes[pos] = tag;
  writeVarint(bytes, pos + 1, length);
  return moved + length;
}

/**
 * The same for a KeyValue of a KeyValueList: `[0a, LENGTH, 0a, key length, key, 12, LENGTH, tag, LENGTH, content]` from
 * `start` to `end`, with 12 at `valueAt`.
 */
export function closeMember(bytes: Uint8Array, start: number, valueAt: number, end: number): number {
  if (end - start < 0x80 + 2) {
    bytes[start + 1] = end - start - 2;
    bytes[valueAt + 1] = end - valueAt - 2;
    bytes[valueAt + 3] = end - valueAt - 4;
    return end;
  }
  return widenMember(bytes, start, valueAt, end);
}

/** `closeMember` if at least the outermost length takes more than one byte. */
function widenMember(bytes: Uint8Array, start: number, valueAt: number, end: number): number {
  const content = valueAt + 4;
  const tag = bytes[valueAt + 2] ?? 0;
  const length = end - content;
  const valueLength = 1 + varintSize(length) + length;
  const keyLength = valueAt - start - 2;
  const memberLength = keyLength + 1 + varintSize(valueLength) + valueLength;
  const key = start + 1 + varintSize(memberLength);
  const newContent = key + memberLength - length;
  bytes.copyWithin(newContent, content, end);
  moveUp(bytes, key, start + 2, keyLength);
  writeVarint(bytes, start + 1, memberLength);
  bytes[key + keyLength] = KeyValueTag.value;
  const pos = writeVarint(bytes, key + keyLength + 1, valueLength);
  bytes[pos] = tag;
  writeVarint(bytes, pos + 1, length);
  return newContent + length;
}

/** Moves a few bytes to a higher position, in a loop, because a call into the engine costs more. */
function moveUp(bytes: Uint8Array, to: number, from: number, length: number): void {
  for (let i = length - 1; i >= 0; i--) bytes[to + i] = bytes[from + i] ?? 0;
}
