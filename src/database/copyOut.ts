/**
 * Runs `COPY … TO STDOUT (FORMAT binary)` and hands on each row as bytes, uncopied and undecoded: the text of an
 * entry reaches the encoder as Postgres sent it. node-postgres would build strings, and objects of the jsonb, with
 * integers rounded past 2^53.
 *
 * Format: Postgres manual, COPY, "Binary Format". The server sends one CopyData message a row.
 */
import type pg from 'pg';
import { BinaryRow } from './binaryRow.ts';
import { guardStatements } from './guardedClient.ts';
import { MessageWatch } from './messageWatch.ts';
import type { Database } from './pool.ts';
import { toPrimary } from './primary.ts';

export interface CopyLimits {
  /** A row of more bytes ends the COPY before it is taken into memory. Default: none. */
  readonly rowBytes?: number;
  /** For all of it. Default 55 s. */
  readonly timeoutMs?: number;
}

export type CopyEnd =
  /** Every row was handed on. */
  | { readonly kind: 'done' }
  /** `onRow` said so. */
  | { readonly kind: 'stopped' }
  /** The next row has so many bytes, more than `rowBytes`; it was not handed on. */
  | { readonly kind: 'oversize'; readonly bytes: number };

/** 11 bytes signature, 4 bytes flags, 4 bytes length of an extension. */
const headerBytes = 19;
/** After "stop" so much more is read away, which is cheaper than a new connection; then the connection is closed. */
const maxDrainedBytes = 256 * 1024;
const defaultTimeoutMs = 55_000;
/** Long enough for whatever locks a table for a moment; well below the time after which the client gives up. */
const lockTimeoutMs = 15_000;
/**
 * COPY takes its snapshot before it waits for a table. If that is written anew meanwhile (a form of ALTER TABLE that does), all its
 * rows are younger than the snapshot: it seems to be empty. So the lock comes first, by a statement that takes no snapshot.
 */
const lockFirst = 'lock table audit.entries in access share mode';
/** By how much the server's deadline comes before the client's, so that no backend is left behind. */
const clientGraceMs = 5_000;

type OnRow = (row: BinaryRow) => 'stop' | undefined;

/** A query object as node-postgres's `client.query` takes it ("submittable"). */
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
    // In one message they are one transaction, so they hold for it alone, and a pooler in transaction mode sees it whole.
    this.#text = `${toPrimary}${guardStatements} set local statement_timeout = ${timeoutMs}; set local lock_timeout = ${lockTimeoutMs}; ${lockFirst}; copy (${select}) to stdout (format binary)`;
    this.#onRow = onRow;
    this.#rowBytes = limits.rowBytes ?? Number.POSITIVE_INFINITY;
    this.query_timeout = timeoutMs + clientGraceMs;
  }

  /** What it came to; null: the connection is still good. @throws `onRow`'s error, or else the database's. */
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
      // Thrown inside the socket's data event it would end the process; the query fails instead.
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
 * `select` reads audit.entries. It is SQL text without parameters, since COPY takes none: whatever goes into it must be a number or a quoted
 * literal. It ends early when `onRow` says "stop", without reading the rest away.
 *
 * @throws the database's error, or the first one of `onRow`; rows that came before it were handed on.
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
  // A connection whose query failed half-way is not given to the next one.
  client.release(error ?? undefined);
  return copy.conclude(error);
}
