/**
 * Stands between a socket and the HTTP parser: bounds what comes in for one attempt, and takes out interim answers.
 *
 * Counted are bytes of the socket, since what a body holds says little of what was sent: a chunk extension, a header or
 * an interim answer costs the same. Interim answers (100, 102, 103) say nothing of the outcome and may come unasked (RFC
 * 9110 section 15.2); undici takes an unasked 100 for the end of the connection, so none gets there.
 */
import type { Socket } from 'node:net';
import {
  AnswerLimitError,
  maxInterimAnswers,
  maxInterimBytes,
  maxPieceBytes,
  maxSocketBytes,
  maxSocketReads,
} from './answerLimits.ts';

const nothing = Buffer.alloc(0);
/** 101 is not among them: the connection would speak another protocol after it. */
const interimStart = /^HTTP\/1\.\d 1(?!01)\d\d[ \r]/;
/** Every beginning of the above, so that a first line that comes in pieces is waited for. */
const interimPrefix = /^(?:H|HT|HTT|HTTP|HTTP\/|HTTP\/1|HTTP\/1\.|HTTP\/1\.\d ?|HTTP\/1\.\d 1\d?\d?)$/;
const startLength = 13;

export class SocketMeter {
  #bytes = 0;
  #reads = 0;
  #interims = 0;
  #isBeforeAnswer = true;
  /** Begin of an interim answer that is not complete. */
  #pending: Buffer = nothing;

  /** The next bytes are the answer to another attempt. */
  beginAttempt(): void {
    this.#bytes = 0;
    this.#reads = 0;
    this.#interims = 0;
    this.#isBeforeAnswer = true;
    this.#pending = nothing;
  }

  /** From now on whoever reads from `socket` gets what the meter lets through; past a limit the socket is destroyed. */
  watch(socket: Socket): void {
    const read = socket.read.bind(socket);
    let left: Buffer = nothing;
    socket.read = (size?: number): Buffer | null => {
      while (left.length === 0) {
        const chunk: Buffer | null = read(size);
        if (chunk === null) return null;
        const passed = this.#take(chunk);
        if (passed instanceof AnswerLimitError) {
          socket.destroy(passed);
          return null;
        }
        left = passed;
      }
      // The parser has refused what came before.
      if (socket.destroyed) return null;
      const piece = left.subarray(0, maxPieceBytes);
      left = left.subarray(maxPieceBytes);
      return piece;
    };
  }

  #take(chunk: Buffer): Buffer | AnswerLimitError {
    this.#bytes += chunk.length;
    this.#reads += 1;
    if (this.#bytes > maxSocketBytes) {
      return new AnswerLimitError(`has more than ${maxSocketBytes / 1024} KiB`);
    }
    if (this.#reads > maxSocketReads) {
      return new AnswerLimitError(`comes in more than ${maxSocketReads} pieces`);
    }
    return this.#isBeforeAnswer ? this.#skipInterims(chunk) : chunk;
  }

  #skipInterims(chunk: Buffer): Buffer | AnswerLimitError {
    let rest = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    this.#pending = nothing;
    while (rest.length > 0) {
      const start = rest.toString('latin1', 0, startLength);
      if (!interimStart.test(start)) {
        if (interimPrefix.test(start)) {
          this.#pending = Buffer.from(rest);
          return nothing;
        }
        this.#isBeforeAnswer = false;
        return rest;
      }
      const end = rest.indexOf('\r\n\r\n');
      if (end === -1) {
        if (rest.length > maxInterimBytes) {
          return new AnswerLimitError(`has an interim answer of more than ${maxInterimBytes / 1024} KiB`);
        }
        this.#pending = Buffer.from(rest);
        return nothing;
      }
      this.#interims += 1;
      if (this.#interims > maxInterimAnswers) {
        return new AnswerLimitError(`has more than ${maxInterimAnswers} interim answers`);
      }
      rest = rest.subarray(end + 4);
    }
    return nothing;
  }
}
