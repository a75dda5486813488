/**
 * A connection to Postgres that reads into one buffer again and again. Node allocates 64 KiB for every read otherwise: 350 MB for an
 * export of 200,000 entries, which is what most of its garbage collection is about.
 *
 * node-postgres keeps what it is given only while a message is incomplete, so it is given whole messages: a message is a byte for its
 * kind, a length of four bytes that includes itself, and the rest.
 *
 * Only for connections without TLS: node-postgres puts TLS around a socket, which then allocates by itself.
 */
import { Socket } from 'node:net';

const readBytes = 64 * 1024;
/** For all connections: a read is worked off before the next one begins. */
const shared = Buffer.allocUnsafeSlow(readBytes);

/** Emits `arrived` with the bytes as they come, valid only during the call, and `data` with whole messages. */
export class MessageSocket extends Socket {
  readonly #messages = new WholeMessages((bytes) => this.emit('data', bytes));

  constructor() {
    super({
      onread: {
        buffer: shared,
        callback: (bytes) => {
          const arrived = shared.subarray(0, bytes);
          this.emit('arrived', arrived);
          // Who destroyed it at `arrived` wants the messages that were there, and no memory for the one that begins.
          this.#messages.push(arrived, !this.destroyed);
          return true;
        },
      },
    });
  }
}

const headBytes = 5;

/** Puts together what arrives in pieces. */
export class WholeMessages {
  readonly #onMessages: (bytes: Buffer) => void;
  /** The beginning of a message: of its head, or, as long as the message is, of all of it. */
  #begun: Buffer = Buffer.allocUnsafe(headBytes);
  #have = 0;
  #isHead = true;

  /** `onMessages` gets one or more whole messages, valid only during the call. */
  constructor(onMessages: (bytes: Buffer) => void) {
    this.#onMessages = onMessages;
  }

  /** `isGoingOn` false: what is incomplete will not be completed. */
  push(arrived: Buffer, isGoingOn = true): void {
    let at = 0;
    while (this.#have > 0 && at < arrived.length) at += this.#complete(arrived, at);
    const end = endOfMessages(arrived, at);
    if (end > at) this.#onMessages(arrived.subarray(at, end));
    if (end < arrived.length && isGoingOn) this.#begin(arrived, end);
  }

  /** Returns how many bytes it took from `at` on. */
  #complete(arrived: Buffer, at: number): number {
    const taken = arrived.copy(this.#begun, this.#have, at);
    this.#have += taken;
    if (this.#have < this.#begun.length) return taken;
    if (this.#isHead) {
      const head = this.#begun;
      const have = this.#have;
      this.#reserve(1 + head.readUInt32BE(1));
      head.copy(this.#begun);
      this.#have = have;
      if (have < this.#begun.length) return taken;
    }
    const message = this.#begun;
    this.#reset();
    this.#onMessages(message);
    return taken;
  }

  #begin(arrived: Buffer, at: number): void {
    const isHead = arrived.length - at < headBytes;
    if (!isHead) this.#reserve(1 + arrived.readUInt32BE(at + 1));
    this.#have = arrived.copy(this.#begun, 0, at);
  }

  #reserve(bytes: number): void {
    this.#begun = Buffer.allocUnsafe(bytes);
    this.#isHead = false;
  }

  #reset(): void {
    this.#begun = Buffer.allocUnsafe(headBytes);
    this.#have = 0;
    this.#isHead = true;
  }
}

/** Where the last message that is all there ends. */
function endOfMessages(bytes: Buffer, from: number): number {
  let end = from;
  for (let at = from; at + headBytes <= bytes.length; ) {
    at += 1 + bytes.readUInt32BE(at + 1);
    if (at <= bytes.length) end = at;
  }
  return end;
}
