/**
 * Watches the messages of a connection by their headers, before node-postgres assembles them: it would hold a row of any
 * size in memory, several times over.
 *
 * A message is a byte for its kind, a length of four bytes that includes itself, and the rest.
 */
import type { Duplex } from 'node:stream';
import { MessageSocket } from './messageSocket.ts';

const copyData = 0x64;

export class MessageWatch {
  readonly #stream: Duplex;
  /** As bytes arrive: `data` of a MessageSocket comes when a message is all there. */
  readonly #event: 'arrived' | 'data';
  readonly #limit: number;
  readonly #onOver: (bytes: number) => void;
  readonly #onData = (chunk: Buffer): void => this.#look(chunk);
  /** Bytes of the current message that are still to come. */
  #left = 0;
  /** The part of a header that came with the previous chunk. */
  #head: Buffer | null = null;

  /** Begins between two messages. `onOver` is called once for a CopyData message of more than `limit` bytes. */
  constructor(stream: Duplex, limit: number, onOver: (bytes: number) => void) {
    this.#stream = stream;
    this.#limit = limit;
    this.#onOver = onOver;
    this.#event = stream instanceof MessageSocket ? 'arrived' : 'data';
    stream.prependListener(this.#event, this.#onData);
  }

  end(): void {
    this.#stream.off(this.#event, this.#onData);
  }

  #look(arrived: Buffer): void {
    let chunk = arrived;
    if (this.#head) {
      chunk = Buffer.concat([this.#head, arrived]);
      this.#head = null;
    }
    let at = this.#left;
    while (at + 5 <= chunk.length) {
      const length = chunk.readUInt32BE(at + 1);
      if (length - 4 > this.#limit && chunk[at] === copyData) {
        this.end();
        this.#onOver(length - 4);
        return;
      }
      at += 1 + length;
    }
    if (at < chunk.length) {
      this.#head = Buffer.from(chunk.subarray(at));
      this.#left = 0;
    } else {
      this.#left = at - chunk.length;
    }
  }
}
