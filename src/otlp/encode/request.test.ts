import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRequest } from '../../../tools/otlp/otlpProto.ts';
import { identity, makeEntry } from '../../../tools/otlp/testEntries.ts';
import type { Entry } from '../../model/entry.ts';
import { RequestWriter } from './request.ts';

const observedAtMicros = 1_784_000_001_000_000;

function fill(writer: RequestWriter, entries: readonly Entry[]): RequestWriter {
  for (const [index, entry] of entries.entries()) {
    writer.append(entry, { sequence: index + 1, observedAtMicros: observedAtMicros });
  }
  return writer;
}

function makeEntries(sizes: readonly number[]): Entry[] {
  return sizes.map((size, index) =>
    makeEntry({
      id: BigInt(index + 1),
      metadata: Buffer.from(JSON.stringify({ text: 'x'.repeat(size), index })),
    }),
  );
}

/** From records of the smallest kind to such that need lengths of three and four bytes. */
const sizes = fc.array(fc.oneof(fc.nat(300), fc.nat(20_000), fc.constantFrom(2_200_000)), {
  minLength: 1,
  maxLength: 8,
  size: 'max',
});

describe('RequestWriter', () => {
  test('names the service, the organization and the scope', () => {
    const { resource, scope } = decodeRequest(fill(new RequestWriter(identity), makeEntries([1])).request());
    expect([...resource]).toEqual([
      ['service.name', 'audit-export'],
      ['audit.organization.id', 'acme'],
    ]);
    expect(scope).toEqual({ name: 'audit-export', version: '0.1.0' });
  });

  test('makes a request of any run of records, with the very bytes they have in the whole', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (sizes, a, b) => {
        const entries = makeEntries(sizes);
        const writer = fill(new RequestWriter(identity, 0), entries);
        const [from = 0, to = 0] = [a % (sizes.length + 1), b % (sizes.length + 1)].sort((x, y) => x - y);
        const whole = Buffer.from(writer.request());
        const all = decodeRequest(whole).records;
        const runs = [
          [0, from],
          [from, to],
          [to, sizes.length],
        ] as const;
        const parts = runs.map((run) => Buffer.from(writer.request(...run)));
        expect(all.map(({ sequence }) => sequence)).toEqual(sizes.map((_, index) => index + 1));
        expect(parts.flatMap((part) => decodeRequest(part).records)).toEqual(all);
        expect(Buffer.compare(Buffer.from(writer.request()), whole)).toBe(0);
        for (const [index, [start, end]] of runs.entries()) {
          const alone = new RequestWriter(identity);
          for (const [offset, entry] of entries.slice(start, end).entries()) {
            alone.append(entry, { sequence: start + offset + 1, observedAtMicros: observedAtMicros });
          }
          expect(Buffer.compare(alone.request(), parts[index] ?? Buffer.alloc(0))).toBe(0);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('foretells the size of every request', () => {
    fc.assert(
      fc.property(sizes, (sizes) => {
        const writer = fill(new RequestWriter(identity), makeEntries(sizes));
        expect(writer.recordCount).toBe(sizes.length);
        expect(writer.byteLength).toBe(writer.request().length);
        for (let from = 0; from <= sizes.length; from++) {
          for (let to = from; to <= sizes.length; to++) {
            expect(writer.byteLengthOf(from, to)).toBe(writer.request(from, to).length);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  test('gives the same bytes for the same entries, however its memory grew', () => {
    const entries = makeEntries([0, 10, 5000, 200_000, 3]);
    const once = Buffer.from(fill(new RequestWriter(identity), entries).request());
    const again = fill(new RequestWriter(identity, 0), makeEntries([100_000]));
    again.clear();
    expect(again.recordCount).toBe(0);
    expect(Buffer.compare(Buffer.from(fill(again, entries).request()), once)).toBe(0);
  });

  test('refuses a run that is none', () => {
    const writer = fill(new RequestWriter(identity), makeEntries([1, 1]));
    for (const [from, to] of [
      [0, 3],
      [2, 1],
      [-1, 1],
    ] as const) {
      expect(() => writer.request(from, to)).toThrow(RangeError);
    }
  });
});
