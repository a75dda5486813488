/** One row of a binary COPY. */

/** Valid only during the call that passes it, because the bytes belong to the socket's buffer. */
export class BinaryRow {
  #bytes: Buffer = Buffer.alloc(0);
  #ends: number[] = [];
  #lengths: number[] = [];

  /** Reads the tuple at `offset`; false for the end-of-data marker. */
  read(bytes: Buffer, offset: number): boolean {
    const fields = bytes.readInt16BE(offset);
    if (fields === -1) return false;
    let at = offset + 2;
    for (let i = 0; i < fields; i++) {
      const length = bytes.readInt32BE(at);
      at += 4 + (length === -1 ? 0 : length);
      this.#lengths[i] = length;
      this.#ends[i] = at;
    }
    this.#bytes = bytes;
    return true;
  }

  /** Size of the whole row, as it was sent. */
  get byteLength(): number {
    return this.#bytes.length;
  }

  bytes(field: number): Buffer | null {
    const length = this.#lengths[field] ?? -1;
    const end = this.#ends[field] ?? 0;
    return length === -1 ? null : this.#bytes.subarray(end - length, end);
  }

  /** A field that the table defines as not null. @throws if it is null: a bug. */
  required(field: number): Buffer {
    const bytes = this.bytes(field);
    if (!bytes) throw new Error(`field ${field} is null`);
    return bytes;
  }
}
