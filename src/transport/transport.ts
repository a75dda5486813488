/**
 * Sends one request to one receiver and returns what came back. No retry, no judgement: an answer is judged by
 * `otlp/classify.ts`, and repeated by delivery.
 *
 *   batch → encode → [one attempt] → classify → settle, wait or split
 *
 * Promises:
 *  - Every failure of the network, of TLS or of the receiver is an `Answer`; what throws is a bug.
 *  - An attempt ends within `timeoutMs` of its first packet, whatever the receiver does, and at once on `signal`.
 *  - Redirects are never followed: they would carry the headers, secrets included, to an address nobody configured.
 *  - The receiver cannot make us read more than 4 MiB.
 */
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Answer } from '../model/answer.ts';
import type { Destination } from '../model/exportConfig.ts';
import type { AddressGuard } from './addressGuard.ts';
import { ConnectionPools } from './connectionPools.ts';
import { aborted, exchange } from './exchange.ts';
import { makeSystemResolver, type ResolveName } from './guardedLookup.ts';
import { noAnswer } from './noAnswer.ts';
import { makeRequestHeaders } from './requestHeaders.ts';

export interface Attempt {
  readonly destination: Destination;
  /** Encoded protobuf, not compressed. */
  readonly body: Uint8Array;
  /** Ends the attempt at once; the answer is then a no-answer `aborted`, and the receiver may have got the request. */
  readonly signal: AbortSignal;
}

export interface Transport {
  send(attempt: Attempt): Promise<Answer>;
  /** Takes no more attempts; resolves when those under way have ended and every connection is closed. */
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly guard: AddressGuard;
  readonly userAgent: string;
  /** Default 32. Attempts beyond it wait; the wait does not count against their deadline. */
  readonly maxConnectionsPerOrigin?: number;
  /** Default 1,024. More are kept while all of them are in use. */
  readonly maxPools?: number;
  /** Default 60 s. */
  readonly idlePoolMs?: number;
  /** Default: the system's resolver. */
  readonly resolveName?: ResolveName;
}

const compress = promisify(gzip);
/** Level 1 shrinks to 1/4.0, level 6 to 1/4.5 for 1.7 times the processor time. */
const compressionLevel = 1;

/**
 * Room for the whole result at once: by the default of 16 KiB zlib comes back to the event loop twenty times for a batch
 * of a thousand entries, a sixth of the main thread's time in an export. Entries shrink to a quarter.
 */
function compressionOptions(bytes: number): { level: number; memLevel: number; chunkSize: number } {
  return { level: compressionLevel, memLevel: 9, chunkSize: Math.max(4_096, Math.ceil(bytes / 3)) };
}

/** Opens nothing until the first attempt. */
export function makeTransport(options: TransportOptions): Transport {
  const pools = new ConnectionPools({
    guard: options.guard,
    resolveName: options.resolveName ?? makeSystemResolver(),
    maxConnectionsPerOrigin: options.maxConnectionsPerOrigin ?? 32,
    maxPools: options.maxPools ?? 1_024,
    idlePoolMs: options.idlePoolMs ?? 60_000,
  });
  const closing = new AbortController();

  async function send(attempt: Attempt): Promise<Answer> {
    const { destination, signal } = attempt;
    if (signal.aborted || closing.signal.aborted) return aborted(destination);
    const headers = makeRequestHeaders(destination, options.userAgent);
    if (headers.kind === 'invalid') return noAnswer('connection', headers.message);
    const lease = pools.lease(destination);
    if (lease.kind === 'unreadable') return noAnswer('tls', lease.message);
    const { connections, release } = lease;
    try {
      const body =
        destination.compression === 'gzip'
          ? await compress(attempt.body, compressionOptions(attempt.body.length))
          : attempt.body;
      if (!(await connections.slots.take(signal))) return aborted(destination);
      try {
        return await exchange({ connections, destination, headers: headers.headers, body, signal });
      } finally {
        // A turn of the event loop later undici knows the connection to be free; before, it would open another.
        await setImmediate();
        connections.slots.release();
      }
    } finally {
      release();
    }
  }

  return {
    send,
    close: () => {
      closing.abort();
      return pools.close();
    },
  };
}
