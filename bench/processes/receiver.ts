/** An OTLP receiver that costs as little as possible: it reads the body and answers 200. See tools/receiver.ts. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { sliceRecords } from '../../tools/otlp/recordSlices.ts';
import { monotonicMs } from '../tools/monotonic.ts';
import type { ReceiverReport } from '../tools/receiver.ts';

interface Kept {
  readonly body: Buffer;
  readonly coding: string | undefined;
  readonly atMs: number;
}

const mode = process.argv[2];
const codings: Readonly<Record<string, (body: Buffer) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  zstd: promisify(zstdDecompress),
};

async function unpack({ body, coding }: Pick<Kept, 'body' | 'coding'>): Promise<Buffer> {
  return (await codings[coding ?? '']?.(body)) ?? body;
}

let requests = 0;
let bytes = 0;
let records = 0;
let kept: Kept[] = [];
let cpuBefore = process.cpuUsage();

const server = createServer(async (request, response) => {
  const body = await readBody(request);
  const coding = request.headers['content-encoding'];
  if (mode === 'count') {
    const { length } = sliceRecords(await unpack({ body, coding }));
    records += length;
  }
  response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': 0 }).end();
  requests += 1;
  bytes += body.length;
  if (mode === 'keep') kept.push({ body, coding, atMs: monotonicMs() });
});

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

async function makeReport(withUids: boolean): Promise<ReceiverReport> {
  const cpu = process.cpuUsage(cpuBefore);
  const answers: Array<{ atMs: number; uids: string[] }> = [];
  for (const { body, coding, atMs } of kept) {
    const slices = sliceRecords(await unpack({ body, coding }));
    records += slices.length;
    if (withUids) answers.push({ atMs, uids: slices.map((slice) => slice.uid) });
  }
  const report = { requests, bytes, records, cpuSeconds: (cpu.user + cpu.system) / 1e6, answers };
  requests = 0;
  bytes = 0;
  records = 0;
  kept = [];
  cpuBefore = process.cpuUsage();
  return report;
}

process.on('message', async (question) => {
  process.send?.(await makeReport(question === 'uids'));
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
