/** A DNS server that knows what a test tells it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Record {
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  readonly ttl?: number;
}

/** What is answered about a full name in lower case: its addresses, nothing at all, or a failure of the server. */
export type Zone = (name: string) => Found | Promise<Found>;
type Found = Record | 'silent' | 'failed' | undefined;

export interface DnsServer {
  /** `ADDRESS:PORT`, as in a line `nameserver` of the tests. */
  readonly address: string;
  /** `NAME TYPE` of each question, in order. */
  readonly questions: string[];
}

const types: { readonly [code: number]: 'A' | 'AAAA' } = { 1: 'A', 28: 'AAAA' };

/** On the loopback address, ended with the test. */
export async function serveDns(zone: Zone, answersAaaa = true): Promise<DnsServer> {
  const server = await startDns(zone, { answersAaaa });
  onTestFinished(server.stop);
  return server;
}

export async function startDns(
  zone: Zone,
  {
    host = '127.0.0.1',
    port = 0,
    answersAaaa = true,
  }: { readonly host?: string; readonly port?: number; readonly answersAaaa?: boolean } = {},
): Promise<DnsServer & { stop(): Promise<void> }> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const questions: string[] = [];
  let isStopped = false;
  socket.on('message', async (query, from) => {
    const { name, type, end } = readQuestion(query);
    questions.push(`${name} ${type}`);
    const found = await Promise.resolve(zone(name.toLowerCase())).catch(() => 'failed' as const);
    if (found === 'silent' || (type === 'AAAA' && !answersAaaa)) return;
    const records = typeof found === 'object' ? ((type === 'A' ? found.a : found.aaaa) ?? []) : [];
    const code = found === 'failed' ? 2 : found === undefined ? 3 : 0;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const ttl = typeof found === 'object' ? (found.ttl ?? 60) : 0;
    const answers = records.map((address) => makeAnswer(address, type, ttl));
    // It may have been stopped while the answer was looked up.
    if (isStopped) return;
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), from.port, from.address);
  });
  socket.bind(port, host);
  await once(socket, 'listening');
  const stop = async () => {
    isStopped = true;
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  };
  return { address: `${host}:${socket.address().port}`, questions, stop };
}

function readQuestion(query: Buffer): { name: string; type: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = types[query.readUInt16BE(at + 1)] ?? 'other';
  return { name: labels.join('.'), type, end: at + 5 };
}

function makeAnswer(address: string, type: string, ttl: number): Buffer {
  const data = type === 'A' ? Buffer.from(address.split('.').map(Number)) : packIPv6(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type === 'A' ? 1 : 28, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function packIPv6(address: string): Buffer {
  const [before = '', after = ''] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const bytes = Buffer.alloc(16);
  groups(before).forEach((group, at) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * at);
  });
  groups(after)
    .toReversed()
    .forEach((group, at) => {
      bytes.writeUInt16BE(Number.parseInt(group, 16), 14 - 2 * at);
    });
  return bytes;
}
