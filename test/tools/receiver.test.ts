import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { afterEach, describe, expect, it } from 'vitest';
import { type Receiver, type ReceiverOptions, startReceiver } from './receiver.ts';

const started: Receiver[] = [];
afterEach(async () => {
  for (const receiver of started.splice(0)) await receiver.stop();
});

async function start(options?: ReceiverOptions): Promise<Receiver> {
  const receiver = await startReceiver(options);
  started.push(receiver);
  return receiver;
}

describe.each([
  { name: 'protobuf', headers: {}, wrap: (bytes: Uint8Array) => bytes },
  { name: 'gzip', headers: { 'content-encoding': 'gzip' }, wrap: gzipSync },
])('a request in $name', ({ headers, wrap }) => {
  it('is kept record by record, with each record as it was sent', async () => {
    const receiver = await start();
    const [one, other] = [record(randomUUID(), 1), record(randomUUID(), 2)];
    expect(await post(receiver, wrap(request(one, other)), headers)).toBe(200);
    expect(receiver.records.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(receiver.records.map(({ raw }) => raw)).toEqual([hex(one), hex(other)]);
  });
});

it('keeps JSON with integers exact', async () => {
  const receiver = await start();
  const largest = '9223372036854775807';
  const attributes = [{ key: 'log.record.uid', value: { stringValue: 'u1' } }];
  const logRecords = [
    { body: { kvlistValue: { values: [{ key: 'n', value: { intValue: largest } }] } }, attributes },
  ];
  const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
  expect(await post(receiver, Buffer.from(body), { 'content-type': 'application/json' })).toBe(200);
  expect(receiver.records[0]).toMatchObject({ uid: 'u1', body: new Map([['n', BigInt(largest)]]) });
});

it.each([{ keep: 'records' as const }, { keep: 'hashes' as const }])(
  'tells an identical repeat from a changed one, keeping $keep',
  async ({ keep }) => {
    const receiver = await start({ keep });
    const uid = randomUUID();
    await post(receiver, request(record(uid, 1)));
    await post(receiver, request(record(uid, 1)));
    expect(receiver.ledger.differences).toEqual([]);
    expect(receiver.ledger.sightings().get(uid)).toMatchObject({ received: 2, stored: 2 });
    await post(receiver, request(record(uid, 2)));
    expect(receiver.ledger.differences).toHaveLength(1);
    expect(receiver.ledger.size).toBe(1);
  },
);

it('names the sequence numbers it never stored', async () => {
  const receiver = await start();
  await post(receiver, request(record(randomUUID(), 1), record(randomUUID(), 4)));
  receiver.answerWith({ status: 503 });
  await post(receiver, request(record(randomUUID(), 3)));
  expect(receiver.ledger.missingSequences()).toEqual([2, 3]);
  expect(receiver.ledger.storedCount).toBe(2);
});

it('keeps streams of the same entry apart', async () => {
  const receiver = await start();
  const uid = randomUUID();
  await post(receiver, request(record(uid, 1, 'one')));
  await post(receiver, request(record(uid, 7, 'other')));
  expect(receiver.ledger.differences).toEqual([]);
  expect(receiver.ledger.storedUids('other')).toEqual([uid]);
});

it.each([
  { what: 'no records', body: new Uint8Array(), headers: {} },
  { what: 'bytes that are no protobuf', body: Buffer.from([0x0a, 0x7f]), headers: {} },
  { what: 'another content type', body: request(record('u1', 1)), headers: { 'content-type': 'text/plain' } },
])('refuses $what and remembers it', async ({ body, headers }) => {
  const receiver = await start();
  expect(await post(receiver, body, headers)).toBe(400);
  expect(receiver.problems).toHaveLength(1);
});

it('answers as it is told, and may lose the answer of what it stored', async () => {
  const receiver = await start();
  receiver.answerWith(({ number }) =>
    number === 1 ? { status: 429, headers: { 'retry-after': '7' } } : { reset: true, stored: true },
  );
  expect(await post(receiver, request(record('u1', 1)))).toBe(429);
  expect(receiver.ledger.storedUids()).toEqual([]);
  await expect(post(receiver, request(record('u1', 1)))).rejects.toThrow('fetch failed');
  expect(receiver.ledger.storedUids()).toEqual(['u1']);
});

it('hangs until it stops', async () => {
  const receiver = await start();
  receiver.answerWith({ hang: true });
  const answer = post(receiver, request(record('u1', 1)));
  await receiver.waitFor(({ requestCount }) => requestCount === 1);
  await receiver.stop();
  await expect(answer).rejects.toThrow('fetch failed');
});

it('goes away and comes back on the same port', async () => {
  const receiver = await start();
  await receiver.refuse();
  await expect(post(receiver, request(record('u1', 1)))).rejects.toThrow('fetch failed');
  await receiver.listen();
  expect(await post(receiver, request(record('u1', 1)))).toBe(200);
});

async function post(
  receiver: Receiver,
  body: Uint8Array,
  headers: Record<string, string> = {},
): Promise<number> {
  const response = await fetch(receiver.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', ...headers },
    body: new Uint8Array(body),
  });
  await response.arrayBuffer();
  return response.status;
}

function request(...records: Uint8Array[]): Uint8Array {
  const scopeLogs = protobuf.Writer.create();
  for (const bytes of records) scopeLogs.uint32(18).bytes(bytes);
  const resourceLogs = protobuf.Writer.create().uint32(18).bytes(scopeLogs.finish()).finish();
  return protobuf.Writer.create().uint32(10).bytes(resourceLogs).finish();
}

function record(uid: string, sequence: number, streamId = 'stream'): Uint8Array {
  const text = (value: string) => protobuf.Writer.create().uint32(10).string(value).finish();
  const writer = protobuf.Writer.create();
  const attribute = (key: string, value: Uint8Array) =>
    writer.uint32(50).bytes(protobuf.Writer.create().uint32(10).string(key).uint32(18).bytes(value).finish());
  attribute('log.record.uid', text(uid));
  attribute('audit.stream.id', text(streamId));
  attribute('audit.sequence.number', protobuf.Writer.create().uint32(24).int64(sequence).finish());
  return writer.finish();
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
