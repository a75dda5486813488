/**
 * The protobuf wire format: tags of the OTLP messages, varints, fixed64. Every function writes at a position and
 * returns the position after it; room has been reserved by the caller (see `OutputBuffer.reserve`).
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
export const ELEMENT_TAG = 0x0a;

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

const TWO_TO_32 = 2 ** 32;

/** Bytes the varint of `value` takes, 0 ≤ value < 2^31. */
export function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** 0 ≤ value < 2^31: a length. */
export function writeVarint(bytes: Uint8Array, pos: number, value: number): number {
  let rest = value;
  while (rest > 0x7f) {
    bytes[pos++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[pos++] = rest;
  return pos;
}

/** An int64 that a number holds exactly, |value| < 2^53. Negative ones take ten bytes, as protobuf wants. */
export function writeInt(bytes: Uint8Array, pos: number, value: number): number {
  if (value >= 0 && value < 0x80) {
    bytes[pos] = value;
    return pos + 1;
  }
  // Floor division gives two's complement for negatives as well: value = high * 2^32 + low, 0 ≤ low < 2^32.
  const high = Math.floor(value / TWO_TO_32);
  return writeVarint64(bytes, pos, value - high * TWO_TO_32, high);
}

/** Any int64. */
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
 * What no OTLP time can say (before 1970, infinite) is 0: "unknown" (logs.proto, `time_unix_nano`).
 */
export function writeNanos(view: DataView, pos: number, micros: number): number {
  const known = micros >= 0 && micros <= Number.MAX_SAFE_INTEGER ? micros : 0;
  const low = (known % TWO_TO_32) * 1000;
  const high = Math.floor(known / TWO_TO_32) * 1000 + Math.floor(low / TWO_TO_32);
  view.setUint32(pos, low % TWO_TO_32, true);
  view.setUint32(pos + 4, high, true);
  return pos + 8;
}

/**
 * Completes a length-delimited field whose content was written before its length was known. `lengthAt` is where
 * the length goes, `reserved` the bytes kept free for it, `end` the end of the content. The content moves only
 * when the length's varint is longer or shorter than that. Returns the new end.
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
