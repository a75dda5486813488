/** One request and its answer on a connection, within the attempt's deadline. */

import type { LookupAddress } from 'node:dns';
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Answer, NoAnswer } from '../model/answer.ts';
import type { Destination } from '../model/exportConfig.ts';
import { undoCodings } from './answerBody.ts';
import { AnswerLimitError, maxAnswerBytes, maxBodyPieces } from './answerLimits.ts';
import type { Connection } from './connection.ts';
import { describeFailure, noAnswer } from './noAnswer.ts';

export interface Exchange {
  readonly connection: Connection;
  readonly destination: Destination;
  readonly headers: string[];
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
  /** Called when a connection must be made; ends with the given signal. */
  readonly findAddresses: (hostname: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;
}

/** How far an attempt has come; decides what a timeout says. */
type Phase = 'resolving' | 'connecting' | 'waiting' | 'reading';

interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Made once: an abort without a reason makes an exception, with its stack, for each exchange. */
const over = new Error('The exchange is over.');

/**
 * Starts the deadline: the DNS lookup, connecting, sending and the whole answer must fit into `timeoutMs`. An
 * attempt that ends early leaves its connection in an unknown state: close it unless the answer is complete.
 *
 * Rejects only for a bug, never for a failure of the network or the receiver.
 */
export async function exchange(given: Exchange): Promise<Answer> {
  const { connection, destination, headers, body, signal } = given;
  const { url, timeoutMs } = destination;
  const ended = new AbortController();
  const answer = new AnswerReader(url.host, connection);
  let phase: Phase = 'connecting';
  const abort = () => answer.finish(aborted(destination));
  const timer = setTimeout(() => {
    answer.finish(timedOut(destination, answer.isBegun ? 'reading' : answer.isSending ? 'waiting' : phase));
  }, timeoutMs);
  signal.addEventListener('abort', abort, { once: true });
  try {
    connection.dispatch({ method: 'POST', path: url.pathname + url.search, headers, body }, answer, {
      findAddresses: (hostname) => {
        phase = 'resolving';
        return given.findAddresses(hostname, ended.signal);
      },
      onConnecting: () => {
        phase = 'connecting';
      },
    });
    return await answer.finished;
  } finally {
    ended.abort(over);
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

/** Collects the answer from undici, within the limits. Pieces are copied, because each would keep its whole socket buffer. */
class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #answer = Promise.withResolvers<Answer>();
  readonly #host: string;
  readonly #connection: Connection;
  #head: Head | null = null;
  #pieces: Buffer[] = [];
  #length = 0;
  isSending = false;

  constructor(host: string, connection: Connection) {
    this.#host = host;
    this.#connection = connection;
  }

  get finished(): Promise<Answer> {
    return this.#answer.promise;
  }

  get isBegun(): boolean {
    return this.#head !== null;
  }

  /** The first call counts. */
  finish(answer: Answer): void {
    this.#answer.resolve(answer);
  }

  onRequestStart(): void {
    this.isSending = true;
  }

  onResponseStart(_controller: unknown, status: number, headers: IncomingHttpHeaders): void {
    if (status >= 200) this.#head = { status, headers: flattenHeaders(headers) };
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    const room = maxAnswerBytes - this.#length;
    this.#pieces.push(Buffer.from(piece.subarray(0, room)));
    this.#length += Math.min(piece.length, room);
    if (piece.length <= room && this.#pieces.length <= maxBodyPieces) return;
    this.#answer.resolve(this.#makeResponse(true));
    controller.abort(new AnswerLimitError('has too long a body'));
  }

  onResponseEnd(): void {
    // TLS reports a write as done up to a turn after the answer to it: of 200 answers of a Collector on used connections, 100.
    if (this.#connection.hasUnsent) setImmediate(() => this.#end());
    else this.#end();
  }

  #end(): void {
    if (this.#head && this.#head.status < 300 && this.#connection.hasUnsent) {
      // Whatever it says: nobody takes what he has not read. A refusal counts, it often comes early.
      this.finish(
        noAnswer(
          'connection',
          `${this.#host} answered before it had received the whole request, which does not count as an answer.`,
        ),
      );
      return;
    }
    this.#answer.resolve(this.#makeResponse(false));
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (error instanceof AnswerLimitError && this.#head) {
      this.#answer.resolve(this.#makeResponse(true));
      return;
    }
    try {
      this.#answer.resolve(describeFailure(error, this.#host));
    } catch (bug) {
      this.#answer.reject(bug);
    }
  }

  async #makeResponse(isCut: boolean): Promise<Answer> {
    const { status, headers } = this.#head ?? { status: 0, headers: {} };
    const body = { bytes: Buffer.concat(this.#pieces, this.#length), truncated: isCut };
    this.#pieces = [];
    const { bytes, truncated } =
      body.bytes.length === 0 ? body : await undoCodings(body, headers['content-encoding']);
    return { kind: 'response', status, headers, body: bytes, truncated };
  }
}

function flattenHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

/** The answer to an attempt that was ended from our side. */
export function aborted({ url }: Destination): NoAnswer {
  return noAnswer('aborted', `The request to ${url.host} was ended by this collector.`);
}

function timedOut({ url: { host }, timeoutMs }: Destination, phase: Phase): NoAnswer {
  const limit = `${timeoutMs / 1_000} s`;
  const sentence = {
    resolving: `Could not resolve the name of ${host}: no answer from DNS within ${limit}.`,
    connecting: `Could not connect to ${host} within ${limit}.`,
    waiting: `No answer from ${host} within ${limit}.`,
    reading: `The answer of ${host} was not complete within ${limit}.`,
  }[phase];
  return noAnswer(phase === 'resolving' ? 'dns' : 'timeout', sentence);
}
