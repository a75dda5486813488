import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { varintSize, writeBigInt, writeInt, writeNanos, writeVarint } from './wire.ts';

function written(write: (bytes: Uint8Array) => number): Buffer {
  const bytes = Buffer.alloc(16);
  return bytes.subarray(0, write(bytes));
}

function nanos(micros: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  expect(writeNanos(view, 0, micros)).toBe(8);
  return view.getBigUint64(0, true);
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

describe('varints', () => {
  test('writes lengths as protobufjs does, in the bytes foretold', () => {
    const lengths = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      fc.constantFrom(0, 127, 128, 16383, 16384, 2 ** 21 - 1, 2 ** 21, 2 ** 28 - 1, 2 ** 28),
    );
    fc.assert(
      fc.property(lengths, (value) => {
        const bytes = written((bytes) => writeVarint(bytes, 0, value));
        expect(bytes).toEqual(Buffer.from(protobuf.Writer.create().uint32(value).finish()));
        expect(bytes).toHaveLength(varintSize(value));
      }),
    );
  });

  test('writes integers that a number holds, negative ones in ten bytes', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const bytes = written((bytes) => writeInt(bytes, 0, value));
        expect(protobuf.Reader.create(bytes).int64().toString()).toBe(String(value));
        if (value < 0) expect(bytes).toHaveLength(10);
      }),
    );
  });

  test('writes any int64', () => {
    fc.assert(
      fc.property(int64, (value) => {
        const bytes = written((bytes) => writeBigInt(bytes, 0, value));
        expect(protobuf.Reader.create(bytes).int64().toString()).toBe(String(value));
      }),
    );
  });
});

describe('writeNanos', () => {
  test('multiplies exactly, over the whole range of microseconds', () => {
    const micros = fc.oneof(
      fc.maxSafeNat(),
      fc.constantFrom(0, 1, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER, 1_784_000_000_123_457),
    );
    fc.assert(
      fc.property(micros, (value) => {
        expect(nanos(value)).toBe(BigInt(value) * 1000n);
      }),
    );
  });

  test.each([-1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])(
    'says unknown for %d',
    (micros) => {
      expect(nanos(micros)).toBe(0n);
    },
  );
});
