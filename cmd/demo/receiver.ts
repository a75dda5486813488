/**
 * A small OTLP/HTTP receiver that prints each log record it receives: the organization's side of `npm start`.
 *
 * Accepts what the collector sends (POST /v1/logs, protobuf, gzip or not) and answers as the OTLP specification says
 * (1.11, OTLP/HTTP): an empty ExportLogsServiceResponse, or a google.rpc.Status. Keeps nothing.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import protobuf from 'protobufjs';
import { type DecodedRequest, decodeRequest } from '../../tools/otlp/otlpProto.ts';
import { makeLineBudget } from './lineBudget.ts';
import { formatRecord } from './recordLine.ts';

export interface Receiver {
  /** `http://127.0.0.1:PORT`, an endpoint without a path. */
  readonly url: string;
  /** Records accepted so far, including repeats. */
  readonly received: number;
  close(): Promise<void>;
}

export interface ReceiverOptions {
  /** Default: a free one. Loopback only. */
  readonly port?: number;
  /** Value that the Authorization header must have; requests without it get a 401. Default: no header is required. */
  readonly authorization?: string;
  /** Receives whole lines, including the line break. */
  readonly write: (line: string) => void;
  /** Default: true if stdout is a terminal and NO_COLOR is not set (no-color.org). */
  readonly colour?: boolean;
  /** Width of a line. Default: the current width of the terminal, or 140 if stdout is not one. */
  readonly columns?: number;
  /** Lines per second; beyond these, one summary per second. Default 30. */
  readonly linesPerSecond?: number;
}

/** The largest request a client may send (OTLP specification 1.11, OTLP/HTTP), before and after inflating. */
const maxBodyBytes = 64 * 1024 * 1024;
const limits = { maxOutputLength: maxBodyBytes };
const inflate = promisify(gunzip);
const unpackZstd = promisify(zstdDecompress);
const codings: Readonly<Record<string, (body: Buffer) => Promise<Buffer>>> = {
  identity: async (body) => body,
  gzip: (body) => inflate(body, limits),
  zstd: (body) => unpackZstd(body, limits),
};

/** @throws Error of node:net if the port is busy. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const budget = makeLineBudget({ write: options.write, linesPerSecond: options.linesPerSecond ?? 30 });
  const colour = options.colour ?? (process.stdout.isTTY === true && !process.env['NO_COLOR']);
  let received = 0;

  function take({ resource, records }: DecodedRequest): void {
    received += records.length;
    const organization = String(resource.get('audit.organization.id') ?? '?');
    const style = { colour, columns: options.columns ?? process.stdout.columns ?? 140 };
    for (const record of records) budget.print(organization, () => formatRecord(record, resource, style));
  }

  const server = createServer((request, response) => {
    answer(request, options.authorization, take).then(
      (result) => send(response, result),
      () => response.destroy(), // the client has disconnected
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    get received() {
      return received;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      budget.flush();
    },
  };
}

interface Result {
  readonly status: number;
  /** Empty if the records were accepted. */
  readonly problem: string;
}

async function answer(
  request: IncomingMessage,
  authorization: string | undefined,
  take: (decoded: DecodedRequest) => void,
): Promise<Result> {
  // Read first: an answer before the end of the request makes many clients reset the connection.
  const body = await readBody(request);
  if (request.url !== '/v1/logs') return refuse(404, 'logs are taken at /v1/logs');
  if (request.method !== 'POST') return refuse(405, 'logs are sent with POST');
  if (authorization !== undefined && request.headers.authorization !== authorization) {
    return refuse(401, 'the Authorization header is missing or wrong');
  }
  if (request.headers['content-type']?.split(';')[0]?.trim() !== 'application/x-protobuf') {
    return refuse(415, 'only application/x-protobuf is taken');
  }
  if (body === null) return refuse(413, 'the body is larger than 64 MiB');
  const encoding = request.headers['content-encoding'] ?? 'identity';
  const unpack = codings[encoding];
  if (unpack === undefined) return refuse(415, 'only gzip and zstd are read');
  let decoded: DecodedRequest;
  try {
    const bytes = await unpack(body);
    // "If the server receives an empty request … the server SHOULD respond with success" (OTLP specification).
    if (bytes.length === 0) return { status: 200, problem: '' };
    decoded = decodeRequest(bytes);
  } catch (error) {
    return refuse(
      400,
      `not an ExportLogsServiceRequest: ${error instanceof Error ? error.message : 'unreadable'}`,
    );
  }
  take(decoded);
  return { status: 200, problem: '' };
}

function refuse(status: number, problem: string): Result {
  return { status, problem };
}

/** null: larger than allowed; the rest was read and discarded. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  return size <= maxBodyBytes ? Buffer.concat(chunks) : null;
}

function send(response: ServerResponse, { status, problem }: Result): void {
  response.writeHead(status, {
    'Content-Type': 'application/x-protobuf',
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
    ...(status === 405 && { Allow: 'POST' }),
  });
  // google.rpc.Status.message is field 2, a string.
  response.end(
    problem === ''
      ? undefined
      : protobuf.Writer.create()
          .uint32((2 << 3) | 2)
          .string(problem)
          .finish(),
  );
}
