/**
 * Runs `COPY … TO STDOUT (FORMAT binary)` and hands on each row as bytes, uncopied and undecoded: the text of an
 * entry reaches the encoder as Postgres sent it. node-postgres would build strings, and objects of the jsonb, with
 * integers rounded past 2^53.
 *
 * Format: Postgres manual, COPY, "Binary Format". The server sends one CopyData message a row.
 */
import type pg from 'pg';
import { guardStatements } from './guardedClient.ts';
import type { Database } from './pool.ts';

/** One row's fields; valid only during the call that hands it over, since the bytes belong to the socket's buffer. */
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

  /** The field's bytes, or null for SQL null. */
  bytes(field: number): Buffer | null {
    const length = this.#lengths[field] ?? -1;
    const end = this.#ends[field] ?? 0;
    return length === -1 ? null : this.#bytes.subarray(end - length, end);
  }

  /** A field that is not null by the table's definition. @throws when it is: a bug. */
  required(field: number): Buffer {
    const bytes = this.bytes(field);
    if (!bytes) throw new Error(`field ${field} is null`);
    return bytes;
  }
}

/** 11 bytes signature, 4 bytes flags, 4 bytes length of an extension. */
const headerBytes = 19;

/** A query object as node-postgres's `client.query` takes it ("submittable"). */
class CopyOut implements pg.Submittable {
  readonly #text: string;
  readonly #onRow: (row: BinaryRow) => void;
  readonly #row = new BinaryRow();
  #started = false;
  #failure: Error | null = null;
  callback: (error: Error | null) => void;

  constructor(text: string, onRow: (row: BinaryRow) => void, callback: (error: Error | null) => void) {
    this.#text = text;
    this.#onRow = onRow;
    this.callback = callback;
  }

  submit(connection: pg.Connection): void {
    connection.query(this.#text);
  }

  handleCopyData(message: { chunk: Buffer }): void {
    if (this.#failure) return;
    const { chunk } = message;
    let offset = 0;
    if (!this.#started) {
      this.#started = true;
      offset = headerBytes + chunk.readUInt32BE(headerBytes - 4);
      if (offset === chunk.length) return;
    }
    try {
      if (this.#row.read(chunk, offset)) this.#onRow(this.#row);
    } catch (error) {
      // Thrown inside the socket's data event it would end the process; the query fails instead.
      this.#failure = error as Error;
    }
  }

  handleError(error: Error): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback(this.#failure);
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleCommandComplete(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCopyInResponse(): void {}
}

/**
 * `select` is SQL text without parameters, since COPY takes none: whatever goes into it must be a number or have
 * passed `literal` of sql.ts.
 *
 * @throws the database's error, or the first one of `onRow` after the rest of the answer has been read away.
 */
export async function copyOut(db: Database, select: string, onRow: (row: BinaryRow) => void): Promise<void> {
  const client = await db.connect();
  let failed: Error | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      client.query(
        new CopyOut(`${guardStatements} copy (${select}) to stdout (format binary)`, onRow, (error) =>
          error ? reject(error) : resolve(),
        ),
      );
    });
  } catch (error) {
    failed = error as Error;
    throw error;
  } finally {
    // A connection whose query failed half-way is not given to the next one.
    client.release(failed);
  }
}
