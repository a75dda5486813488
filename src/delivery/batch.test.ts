import { expect, test } from 'vitest';
import type { Entry } from '../model/entry.ts';
import { BatchCutter, type CutterOptions } from './batch.ts';
import { BufferPool } from './bufferPool.ts';

const identity = { serviceName: 's', organization: 'o', streamId: 'x', version: '1' };

function entry(id: number, metadata = '{}'): Entry {
  const bytes = (text: string) => Buffer.from(text);
  return {
    xid: 7n,
    id: BigInt(id),
    uid: new Uint8Array(16),
    eventType: bytes('e'),
    actorId: null,
    actorName: null,
    sessionType: bytes('user'),
    project: null,
    metadata: bytes(metadata),
    occurredAtMicros: id,
  };
}

function makeCutter(options: Partial<CutterOptions> = {}): BatchCutter {
  return new BatchCutter({
    identity,
    limits: { records: 3, bytes: 1_000_000 },
    buffers: new BufferPool(0),
    observedAtMicros: 1,
    nextSequence: 1,
    isAccepted: () => false,
    ...options,
  });
}

const shape = (cutter: BatchCutter) =>
  cutter.batches.map((b) => [b.records, b.accepted, b.firstSequence, b.lastSequence, Number(b.last.id)]);

test('cuts at the number of records', () => {
  const cutter = makeCutter();
  for (let id = 1; id <= 7; id++) cutter.addRecord(entry(id));
  expect(shape(cutter)).toEqual([
    [3, 0, 1, 3, 3],
    [3, 0, 4, 6, 6],
    [1, 0, 7, 7, 7],
  ]);
});

test('cuts before a request goes over the bytes, and lets a larger record go alone', () => {
  const cutter = makeCutter({ limits: { records: 1_000, bytes: 5_000 } });
  const pad = (n: number) => `{"p":"${'x'.repeat(n)}"}`;
  for (let id = 1; id <= 8; id++) cutter.addRecord(entry(id, pad(1_000)));
  cutter.addRecord(entry(9, pad(20_000)));
  cutter.addRecord(entry(10, pad(10)));
  const sizes = cutter.batches.map((batch) => batch.writer?.byteLength ?? 0);
  expect(sizes.filter((size) => size > 5_000)).toHaveLength(1);
  expect(cutter.batches.reduce((sum, batch) => sum + batch.records, 0)).toBe(10);
  expect(cutter.bytes).toBe(sizes.reduce((a, b) => a + b, 0));
});

test('moves the position over left-out entries with the batch before, or on their own', () => {
  const cutter = makeCutter();
  cutter.addSkipped(entry(1));
  cutter.addSkipped(entry(2));
  cutter.addRecord(entry(3));
  cutter.addSkipped(entry(4));
  expect(shape(cutter)).toEqual([
    [0, 0, 1, 0, 2],
    [1, 0, 1, 1, 4],
  ]);
  expect(cutter.batches[0]?.writer).toBeNull();
});

test('does not send what the receiver took out of turn, and keeps its number', () => {
  const cutter = makeCutter({ isAccepted: (sequence) => sequence === 2 || sequence === 3 });
  for (let id = 1; id <= 5; id++) cutter.addRecord(entry(id));
  expect(shape(cutter)).toEqual([
    [1, 0, 1, 1, 1],
    [0, 2, 2, 3, 3],
    [2, 0, 4, 5, 5],
  ]);
});
