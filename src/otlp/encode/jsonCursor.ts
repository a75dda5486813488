import type { OutputBuffer } from './outputBuffer.ts';

export const Char = {
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  plus: 0x2b,
  point: 0x2e,
  zero: 0x30,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/** 1 for bytes that represent themselves inside a JSON string: all except `"`, `\` and control characters (RFC 8259, section 7). */
export const plain = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= Char.space && byte !== Char.quote && byte !== Char.backslash ? 1 : 0,
);

/** Zeros after the text: no token contains a zero, so every scan stops there without a separate check. */
const sentinelBytes = 8;

/**
 * The most bytes of an AnyValue that one byte of JSON text becomes, rounded up. `-1,` in an array is the worst: 3 bytes
 * of text become 13 (tag, length, tag, and a negative int64 of 10 bytes). The constant is for lengths that widen when
 * their containers close (3 lengths · 4 bytes · `MAX_DEPTH` = 288) and the few bytes `copyPlain` writes too many.
 */
const maxGrowth = 5;
const maxFixedGrowth = 512;

/**
 * A JSON text being read and the AnyValue bytes it becomes, both in the one output buffer: the text is staged at the
 * buffer's far end, after the room for the most it can become. So there is only one array, long strings move by
 * `copyWithin`, and the scan ends at a sentinel.
 */
export interface JsonCursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly textStart: number;
  readonly textEnd: number;
  /** Next byte to read. */
  at: number;
  /** Where the next byte is written. */
  pos: number;
  /** So far every map has its keys in jsonb's order and none is empty, and no double is a negative zero. */
  isCanonical: boolean;
}

/** The result of one JSON value. */
export type Written =
  /** The AnyValue's content is complete. */
  | 'complete'
  /** `[tag, one byte for the length, content]` is written; the length is filled in together with those around it, in one move. */
  | 'open'
  /** The text is not JSON; ignore what has been written of it. */
  | 'malformed';

/** The buffer must not grow while the cursor is in use. */
export function stageText(out: OutputBuffer, text: Uint8Array): JsonCursor {
  out.reserve(text.length * (maxGrowth + 1) + maxFixedGrowth + sentinelBytes);
  const textEnd = out.bytes.length - sentinelBytes;
  const textStart = textEnd - text.length;
  out.bytes.set(text, textStart);
  out.view.setFloat64(textEnd, 0);
  return {
    bytes: out.bytes,
    view: out.view,
    textStart,
    textEnd,
    at: textStart,
    pos: out.end,
    isCanonical: true,
  };
}

export function skipSpace(bytes: Uint8Array, at: number): number {
  let c = bytes[at] ?? 0;
  while (c <= Char.space && (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09)) c = bytes[++at] ?? 0;
  return at;
}
