import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { Entry } from '../../src/model/entry.ts';
import { RequestWriter } from '../../src/otlp/encode/request.ts';
import { type ReceiverOptions, startReceiver } from './receiver.ts';

const text = (value: string) => new TextEncoder().encode(value);

const entry: Entry = {
  xid: 1n,
  id: 1n,
  uid: new Uint8Array(16),
  eventType: text('flow.created'),
  actorId: text('u-17'),
  actorName: text('Ada Lovelace'),
  sessionType: text('api_key'),
  project: text('web'),
  metadata: text('{"flowId": 9007199254740993, "tags": ["a", null, true]}'),
  occurredAtMicros: new Date(2026, 2, 1, 9, 8, 7, 65).getTime() * 1_000,
};

/** A request as the collector would send it. */
function makeRequest(changes: Partial<Entry>[] = [{}], organization = 'acme'): Uint8Array<ArrayBuffer> {
  const writer = new RequestWriter({ serviceName: 'test', organization, streamId: 's', version: '1' });
  for (const [index, change] of changes.entries()) {
    writer.append({ ...entry, ...change }, { sequence: index + 1, observedAtMicros: 0 });
  }
  return new Uint8Array(writer.request());
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(options: Partial<ReceiverOptions> = {}) {
  const lines: string[] = [];
  const receiver = await startReceiver({
    write: (line) => void lines.push(line),
    colour: false,
    columns: 140,
    ...options,
  });
  stops.push(receiver.close);
  const post = (
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
    path = '/v1/logs',
  ) =>
    fetch(receiver.url + path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-protobuf', ...headers },
    });
  return { receiver, lines, post };
}

test('prints each record as one aligned line, with its integers exact', async () => {
  const { receiver, lines, post } = await start();
  const response = await post(
    makeRequest([{}, { eventType: text('user.invited'), project: null, actorName: null, actorId: null }]),
  );
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-protobuf']);
  expect((await response.arrayBuffer()).byteLength).toBe(0);
  const body = '{"flowId":9007199254740993,"tags":["a",…';
  expect(lines).toEqual([
    `09:08:07.065 acme       #1      flow.created          Ada Lovelace         api_key       web       ${body}\n`,
    `09:08:07.065 acme       #2      user.invited          –                    api_key       –         ${body}\n`,
  ]);
  expect(receiver.received).toBe(2);
});

test('takes gzip', async () => {
  const { receiver, post } = await start();
  const response = await post(gzipSync(makeRequest()), { 'content-encoding': 'gzip' });
  expect([response.status, receiver.received]).toEqual([200, 1]);
});

test('colours the line when asked, and only then', async () => {
  const coloured = await start({ colour: true });
  await coloured.post(makeRequest());
  expect(coloured.lines[0]).toContain('\u001b[36macme      \u001b[0m');
});

test('spells out what a terminal would obey', async () => {
  const { lines, post } = await start({ columns: 200 });
  await post(
    makeRequest([
      {
        actorName: text('\u001b[2Jx\r\n\u009b1m\u202e'),
        metadata: text('{"\\u001b]0;t": "\\u202e\\u0007"}'),
        project: text('日本語のとても長い名前'),
      },
    ]),
  );
  const [line = ''] = lines;
  expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(line).toContain('\\u001b[2Jx');
  expect(line).toContain('日本語の… {');
});

test('fits every line into the terminal', async () => {
  const { lines, post } = await start({ columns: 150 });
  const long = text('x'.repeat(5_000));
  const metadata = text(JSON.stringify({ deep: [{ a: 'y'.repeat(100_000) }], more: Array(1_000).fill('z') }));
  await post(makeRequest([{ actorName: long, sessionType: long, project: long, metadata }]));
  expect(lines[0]?.trimEnd()).toHaveLength(149);
});

describe('a flood', () => {
  test('is summed up instead of printed', async () => {
    const { receiver, lines, post } = await start({ linesPerSecond: 10 });
    await post(makeRequest(Array(1_000).fill({})));
    await post(makeRequest(Array(500).fill({}), 'globex'));
    for (const name of ['hooli', 'initech', 'umbrella', 'wayne']) await post(makeRequest([{}], name));
    await receiver.close();
    expect(receiver.received).toBe(1_504);
    expect(lines).toHaveLength(11);
    expect(lines[10]).toBe(
      '… and 1,494 more within a second (acme 990, globex 500, hooli 1, initech 1, 2 others)\n',
    );
  });

  test('is followed by single lines again once it is over', async () => {
    const { lines, post } = await start({ linesPerSecond: 2 });
    await post(makeRequest(Array(50).fill({})));
    await expect.poll(() => lines.at(-1), { timeout: 5_000 }).toMatch(/^… and 48 more/);
    await post(makeRequest([{ eventType: text('flow.deleted') }]));
    expect(lines.at(-1)).toContain('flow.deleted');
  });
});

describe('refuses with a google.rpc.Status', () => {
  const request = makeRequest();
  test.each<[number, string, Parameters<Awaited<ReturnType<typeof start>>['post']>]>([
    [401, 'Authorization', [request, { authorization: 'Bearer wrong' }]],
    [404, '/v1/logs', [request, {}, '/v1/traces']],
    [415, 'application/x-protobuf', [request, { 'content-type': 'application/json' }]],
    [415, 'gzip', [request, { 'content-encoding': 'br' }]],
    [400, 'ExportLogsServiceRequest', ['not protobuf']],
    [400, 'ExportLogsServiceRequest', [request, { 'content-encoding': 'gzip' }]],
    [400, 'ExportLogsServiceRequest', [request, { 'content-encoding': 'zstd' }]],
  ])('%i naming %s', async (status, what, [body, headers, path]) => {
    const { receiver, lines, post } = await start({ authorization: 'Bearer right' });
    const response = await post(body, { authorization: 'Bearer right', ...headers }, path);
    const answer = new Uint8Array(await response.arrayBuffer());
    expect([response.status, answer[0]]).toEqual([status, 0x12]);
    expect(new TextDecoder().decode(answer)).toContain(what);
    expect([receiver.received, lines]).toEqual([0, []]);
  });

  test('and 405 for a GET', async () => {
    const { receiver } = await start();
    expect((await fetch(`${receiver.url}/v1/logs`)).status).toBe(405);
  });
});

test('takes a request without a record, which those send who look whether it is there', async () => {
  const { receiver, lines, post } = await start();
  expect((await post('')).status).toBe(200);
  expect([receiver.received, lines]).toEqual([0, []]);
});

test('takes records with the right Authorization header', async () => {
  const { receiver, post } = await start({ authorization: 'Bearer right' });
  const response = await post(makeRequest(), { authorization: 'Bearer right' });
  expect([response.status, receiver.received]).toEqual([200, 1]);
});

test('survives a client that goes away in the middle of a request', async () => {
  const { receiver, post } = await start();
  const socket = connect(Number(new URL(receiver.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write('POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc');
  socket.resetAndDestroy();
  expect((await post(makeRequest())).status).toBe(200);
});

test('closes at once although a connection is kept alive', async () => {
  const { receiver, post } = await start();
  await post(makeRequest());
  const startedAt = performance.now();
  await receiver.close();
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test('says when the port is busy', async () => {
  const { receiver } = await start();
  await expect(start({ port: Number(new URL(receiver.url).port) })).rejects.toThrow('EADDRINUSE');
});
