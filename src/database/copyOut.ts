/**
 * Runs `COPY … TO STDOUT (FORMAT binary)` and passes on each row as bytes, neither copied nor decoded: the text of an
 * entry reaches the encoder as Postgres sent it. node-postgres would build strings, and objects of the jsonb, with
 * integers rounded past 2^53.
 *
 * Format: Postgres manual, COPY, "Binary Format". The server sends one CopyData message per row.
 */
import type pg from 'pg';
import { BinaryRow } from './binaryRow.ts';
import { guardStatements } from './guardedClient.ts';
import { MessageWatch } from './messageWatch.ts';
import type { Database } from './pool.ts';
import { toPrimary } from './primary.ts';

export interface CopyLimits {
  /** A larger row, in bytes, ends the COPY before it is read into memory. Default: no limit. */
  readonly rowBytes?: number;
  /** Time limit for the whole COPY. Default 55 s. */
  readonly timeoutMs?: number;
}

export type CopyEnd =
  /** Every row was passed on. */
  | { readonly kind: 'done' }
  /** `onRow` said so. */
  | { readonly kind: 'stopped' }
  /** The next row has this many bytes, more than `rowBytes`; it was not passed on. */
  | { readonly kind: 'oversize'; readonly bytes: number };

/** 11 bytes signature, 4 bytes flags, 4 bytes length of an extension. */
const headerBytes = 19;
/** After "stop", up to this much more is read and discarded, which is cheaper than a new connection; then the connection is closed. */
const maxDrainedBytes = 256 * 1024;
const defaultTimeoutMs = 55_000;
/** Long enough for a short lock on a table; well below the time after which the client gives up. */
const lockTimeoutMs = 15_000;
/**
 * COPY takes its snapshot before it waits for a table. If the table is rewritten in between (some forms of ALTER TABLE do so), all its
 * rows are younger than the snapshot, so it seems empty. So a statement that takes no snapshot takes the lock first.
 */
const lockFirst = 'lock table audit.entries in access share mode';
/** How much earlier the server's deadline is than the client's, so that no backend is left behind. */
const clientGraceMs = 5_000;

type OnRow = (row: BinaryRow) => 'stop' | undefined;

/** A query object as node-postgres's `client.query` accepts it ("submittable"). */
class CopyOut implements pg.Submittable {
  readonly #text: string;
  readonly #onRow: OnRow;
  readonly #rowBytes: number;
  readonly #row = new BinaryRow();
  #connection: pg.Connection | null = null;
  #watch: MessageWatch | null = null;
  #hasStarted = false;
  #end: CopyEnd = { kind: 'done' };
  #failure: Error | null = null;
  #drainedBytes = 0;
  /** node-postgres's deadline for this query. */
  readonly query_timeout: number;
  /** Set by the caller, wrapped by node-postgres. */
  callback: (error: Error | null) => void = () => {};

  constructor(select: string, onRow: OnRow, limits: CopyLimits) {
    const timeoutMs = limits.timeoutMs ?? defaultTimeoutMs;
    // One message is one transaction, so the settings apply only to it, and a pooler in transaction mode sees all of it. Without JIT,
    // which for the pages of a hundred streams compiles for longer than they take: measured 150 ms instead of 8.
    this.#text = `${toPrimary}${guardStatements} set local statement_timeout = ${timeoutMs}; set local lock_timeout = ${lockTimeoutMs}; set local jit = off; ${lockFirst}; copy (${select}) to stdout (format binary)`;
    this.#onRow = onRow;
    this.#rowBytes = limits.rowBytes ?? Number.POSITIVE_INFINITY;
    this.query_timeout = timeoutMs + clientGraceMs;
  }

  /** The result; null: the connection is still good. @throws `onRow`'s error, or else the database's. */
  conclude(error: Error | null): CopyEnd {
    this.#watch?.end();
    if (this.#failure) throw this.#failure;
    if (error && this.#end.kind === 'done') throw error;
    return this.#end;
  }

  submit(connection: pg.Connection): void {
    this.#connection = connection;
    if (this.#rowBytes !== Number.POSITIVE_INFINITY) {
      this.#watch = new MessageWatch(connection.stream, this.#rowBytes, (bytes) => {
        if (this.#end.kind === 'done') this.#end = { kind: 'oversize', bytes };
        connection.stream.destroy();
      });
    }
    connection.query(this.#text);
  }

  handleCopyData(message: { chunk: Buffer }): void {
    const { chunk } = message;
    if (this.#end.kind === 'stopped') {
      this.#drainedBytes += chunk.length;
      if (this.#drainedBytes > maxDrainedBytes) this.#connection?.stream.destroy();
      return;
    }
    let offset = 0;
    if (!this.#hasStarted) {
      this.#hasStarted = true;
      offset = headerBytes + chunk.readUInt32BE(headerBytes - 4);
      if (offset === chunk.length) return;
    }
    try {
      if (this.#row.read(chunk, offset) && this.#onRow(this.#row) === 'stop') this.#end = { kind: 'stopped' };
    } catch (error) {
      // An error thrown inside the socket's data event would end the process, so the query fails instead.
      this.#failure = error as Error;
      this.#end = { kind: 'stopped' };
    }
  }

  handleError(error: Error): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback(null);
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleCommandComplete(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCopyInResponse(): void {}
}

/**
 * `select` reads audit.entries. It is SQL text without parameters, because COPY accepts none: every value in it must be a number or a quoted
 * literal. It ends early if `onRow` says "stop", without reading the rest.
 *
 * @throws the database's error, or the first one of `onRow`; earlier rows were passed on.
 */
export async function copyOut(
  db: Database,
  select: string,
  onRow: OnRow,
  limits: CopyLimits = {},
): Promise<CopyEnd> {
  const client = await db.connect();
  const copy = new CopyOut(select, onRow, limits);
  const error = await new Promise<Error | null>((resolve) => {
    copy.callback = resolve;
    client.query(copy);
  });
  // A connection whose query failed midway is not used for the next one.
  client.release(error ?? undefined);
  return copy.conclude(error);
}
