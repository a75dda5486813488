/**
 * An OTLP/HTTP logs receiver inside the test process. It takes protobuf and JSON, gzip or not, keeps what it got, and
 * answers as a test tells it to: any status, a reset, silence, or nobody listening.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions as TlsServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type AnyValue, type DecodedRecord, decodeRequest } from '../../tools/otlp/otlpProto.ts';
import { type RecordSlice, sliceRecords } from '../../tools/otlp/recordSlices.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { decodeJsonRequest, recordTexts } from './otlpJson.ts';
import { ReceiverLedger } from './receiverLedger.ts';

/** What the receiver does with a request it has read. `stored` says whether it kept the records; default: a 2xx did. */
export type ReceiverAnswer =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Uint8Array;
      readonly stored?: boolean;
    }
  /** The connection is closed without an answer. */
  | { readonly reset: true; readonly stored?: boolean }
  /** No answer while the receiver runs. */
  | { readonly hang: true; readonly stored?: boolean };

export interface ReceivedRequest {
  /** 1, 2, 3 … in order of arrival. */
  readonly number: number;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** As sent, before inflating. */
  readonly wireBytes: number;
  /** Inflated. */
  readonly body: Uint8Array;
  readonly recordCount: number;
  /** This and what follows is empty with `keep: 'hashes'`. */
  readonly resource: Map<string, AnyValue>;
  readonly scope: { readonly name: string; readonly version: string };
  readonly records: readonly ReceivedRecord[];
}

export interface ReceivedRecord extends DecodedRecord {
  readonly request: number;
  /** The record's own bytes in hex; for JSON its text. Equal means the repeat was identical. */
  readonly raw: string;
}

export interface ReceiverOptions {
  /** `hashes` keeps a few numbers a record and decodes nothing else: for hundreds of thousands. Default: `records`. */
  readonly keep?: 'records' | 'hashes';
  readonly tls?: TlsServerOptions;
}

export type Answering = (request: ReceivedRequest) => ReceiverAnswer | Promise<ReceiverAnswer>;

export const ok: ReceiverAnswer = { status: 200 };

export class Receiver {
  /** Every request with a readable body, whatever it was answered. Empty with `keep: 'hashes'`. */
  readonly requests: ReceivedRequest[] = [];
  /** Who was seen how often, what differs, what is missing. */
  readonly ledger = new ReceiverLedger();
  /** What a receiver that follows the standard would have refused; each was answered with 400. */
  readonly problems: string[] = [];
  requestCount = 0;
  readonly #keep: 'records' | 'hashes';
  readonly #server: ReturnType<typeof createServer> | ReturnType<typeof createTlsServer>;
  readonly #scheme: string;
  #port = 0;
  #answering: Answering = () => ok;

  constructor(options: ReceiverOptions = {}) {
    this.#keep = options.keep ?? 'records';
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      this.#handle(request, response).catch((error: unknown) => {
        this.problems.push(String(error));
        response.destroy();
      });
    };
    this.#scheme = options.tls === undefined ? 'http' : 'https';
    this.#server = options.tls === undefined ? createServer(handle) : createTlsServer(options.tls, handle);
  }

  get port(): number {
    return this.#port;
  }

  /** Full URL, with `/v1/logs`. */
  get endpoint(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}/v1/logs`;
  }

  /** All records of all requests, repeats included, in order of arrival. */
  get records(): ReceivedRecord[] {
    return this.requests.flatMap((request) => request.records);
  }

  /** Sets what happens to requests from now on; an answer may wait for a promise of the test's. */
  answerWith(answering: Answering | ReceiverAnswer): void {
    this.#answering = typeof answering === 'function' ? answering : () => answering;
  }

  /** Stops listening and drops every connection: the port refuses. `listen` comes back on it. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when `condition` holds of this receiver. @throws Error after `timeoutMs`, with counts. */
  async waitFor(condition: (receiver: this) => boolean, timeoutMs = 30_000): Promise<void> {
    await waitFor(() => condition(this), {
      timeoutMs,
      describe: () =>
        `The receiver had ${this.requestCount} requests, ${this.ledger.size} records (${this.ledger.storedCount} stored), problems: ${this.problems.join('; ') || 'none'}.`,
    });
  }

  stop(): Promise<void> {
    return this.refuse();
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const wire = Buffer.concat(chunks);
    const contentType = (incoming.headers['content-type'] ?? '').split(';')[0] ?? '';
    const isJson = contentType === 'application/json';
    const number = ++this.requestCount;
    let request: ReceivedRequest;
    let slices: RecordSlice[];
    try {
      if (!isJson && contentType !== 'application/x-protobuf')
        throw new Error(`content type "${contentType}"`);
      const body = undo(incoming.headers['content-encoding'], wire);
      ({ request, slices } = this.#read(number, incoming, wire.length, body, isJson));
      if (slices.length === 0) throw new Error('no records');
    } catch (error) {
      this.problems.push(`request ${number}: ${(error as Error).message}`);
      response.writeHead(400, { 'content-type': 'text/plain' }).end((error as Error).message);
      return;
    }
    if (this.#keep === 'records') this.requests.push(request);
    const answer = await this.#answering(request);
    const isStored = answer.stored ?? ('status' in answer && answer.status >= 200 && answer.status < 300);
    this.ledger.add(slices, isStored);
    if ('reset' in answer) response.destroy();
    else if ('status' in answer) {
      const emptyBody = isJson ? '{}' : '';
      response
        .writeHead(answer.status, { 'content-type': contentType, ...answer.headers })
        .end(answer.body ?? emptyBody);
    }
  }

  #read(number: number, incoming: IncomingMessage, wireBytes: number, body: Uint8Array, isJson: boolean) {
    const head = { number, path: incoming.url ?? '', headers: incoming.headers, wireBytes, body };
    if (this.#keep === 'hashes') {
      const slices = isJson ? jsonSlices(body) : sliceRecords(body);
      const request = {
        ...head,
        recordCount: slices.length,
        resource: new Map(),
        scope: { name: '', version: '' },
        records: [],
      };
      return { request, slices };
    }
    const decoded = isJson ? decodeJsonRequest(body) : decodeRequest(body);
    const slices = isJson ? jsonSlices(body) : sliceRecords(body);
    const records = decoded.records.map((record, index) => {
      const bytes = Buffer.from(slices[index]?.bytes ?? []);
      return { ...record, request: number, raw: isJson ? bytes.toString() : bytes.toString('hex') };
    });
    const request: ReceivedRequest = {
      ...head,
      recordCount: records.length,
      resource: decoded.resource,
      scope: decoded.scope,
      records,
    };
    return { request, slices };
  }
}

/** A receiver that listens, on a free port. */
export async function startReceiver(options?: ReceiverOptions): Promise<Receiver> {
  const receiver = new Receiver(options);
  await receiver.listen();
  return receiver;
}

function jsonSlices(body: Uint8Array): RecordSlice[] {
  const texts = recordTexts(body);
  return decodeJsonRequest(body).records.map((record, index) => ({
    bytes: Buffer.from(texts[index] ?? ''),
    uid: record.uid,
    streamId: String(record.attributes.get('audit.stream.id') ?? ''),
    sequence: record.sequence,
  }));
}

function undo(coding: string | undefined, wire: Buffer): Buffer {
  if (coding === 'gzip') return gunzipSync(wire);
  return coding === 'zstd' ? zstdDecompressSync(wire) : wire;
}
