/** Keys of a KeyValueList must be unique (opentelemetry-specification common/README.md); JSON objects may repeat them. */
import { varintSize } from './wire.ts';

/**
 * Drops every KeyValue between `first` and `end` whose key occurs again later, so that the last value of a key stays, in
 * its own place: the value that jsonb and JSON.parse keep. It works on the encoded bytes, where keys are decoded
 * already (`"a"` and `"\u0061"` are equal). Returns the new end.
 */
export function keepLastOfEqualKeys(bytes: Uint8Array, first: number, end: number): number {
  const lastAt = new Map<string, number>();
  let count = 0;
  for (let at = first; at < end; at = memberEnd(bytes, at)) {
    lastAt.set(keyOf(bytes, at), at);
    count++;
  }
  if (lastAt.size === count) return end;
  let kept = first;
  for (let at = first, next = first; at < end; at = next) {
    next = memberEnd(bytes, at);
    if (lastAt.get(keyOf(bytes, at)) !== at) continue;
    bytes.copyWithin(kept, at, next);
    kept += next - at;
  }
  return kept;
}

/** A member is `0a LENGTH 0a KEY-LENGTH key …`. */
function memberEnd(bytes: Uint8Array, at: number): number {
  const length = readVarint(bytes, at + 1);
  return at + 1 + varintSize(length) + length;
}

/** One character per byte: equal exactly when the bytes are. */
function keyOf(bytes: Uint8Array, at: number): string {
  const lengthAt = at + 1 + varintSize(readVarint(bytes, at + 1)) + 1;
  const length = readVarint(bytes, lengthAt);
  const start = lengthAt + varintSize(length);
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1');
}

function readVarint(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const c = bytes[at++] ?? 0;
    value |= (c & 0x7f) << shift;
    if (c < 0x80) return value;
  }
}
