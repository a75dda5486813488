/**
 * Stands between a socket and the HTTP parser: limits the incoming bytes of one attempt, and removes interim answers.
 *
 * It counts the bytes of the socket, because the size of a body says little about what was sent: a chunk extension, a header or
 * an interim answer costs the same. Interim answers (100, 102, 103) say nothing about the outcome and may come unasked (RFC
 * 9110 section 15.2); undici treats an unasked 100 as the end of the connection, so none reaches it.
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
/** Interim answers; 101 is not one of them, because after it the connection speaks another protocol. */
const interimStart = /^HTTP\/1\.\d 1(?!01)\d\d[ \r]/;
/** Every prefix of these, so that the meter waits for a first line that comes in pieces. */
const interimPrefix = /^(?:H|HT|HTT|HTTP|HTTP\/|HTTP\/1|HTTP\/1\.|HTTP\/1\.\d ?|HTTP\/1\.\d 1\d?\d?)$/;
const startLength = 13;

export class SocketMeter {
  #bytes = 0;
  #reads = 0;
  #interims = 0;
  #isBeforeAnswer = true;
  /** The beginning of an interim answer that is not complete yet. */
  #pending: Buffer = nothing;

  /** The next bytes are the answer to another attempt. */
  beginAttempt(): void {
    this.#bytes = 0;
    this.#reads = 0;
    this.#interims = 0;
    this.#isBeforeAnswer = true;
    this.#pending = nothing;
  }

  /** From now on readers of `socket` get what the meter lets through; past a limit the socket is destroyed. */
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
      // The parser has refused the bytes before.
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
