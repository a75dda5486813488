/**
 * An ExportLogsServiceRequest, grown record by record. The records lie one after the other in one buffer, so any run
 * of them can become a request: a caller that must send smaller requests splits at record boundaries without encoding
 * anything again, and every record has the same bytes in whichever request it goes.
 */
import type { Entry, RecordContext, StreamIdentity } from '../../model/entry.ts';
import { field, stringAttribute, text } from './constants.ts';
import { OutputBuffer } from './outputBuffer.ts';
import { RecordEncoder } from './record.ts';
import { varintSize, writeVarint } from './wire.ts';

/** ExportLogsServiceRequest, ResourceLogs, ScopeLogs: logs_service.proto, logs.proto. */
const Tag = {
  resourceLogs: 0x0a,
  resource: 0x0a,
  resourceAttributes: 0x0a,
  scopeLogs: 0x12,
  scope: 0x0a,
  scopeName: 0x0a,
  scopeVersion: 0x12,
  logRecords: 0x12,
} as const;

const scopeName = 'audit-export';

/** Two tags and two lengths of at most five bytes. */
const maxFrameBytes = 12;

const defaultInitialBytes = 1024 * 1024;

/**
 * The request of one stream's next batch. Append entries, look at `recordCount` and `byteLength` to know when to stop,
 * take `request()`.
 */
export class RequestWriter {
  readonly #encoder: RecordEncoder;
  readonly #resource: Uint8Array;
  readonly #scope: Uint8Array;
  /** Room before the first record for the head of a request with all records. */
  readonly #headRoom: number;
  readonly #out: OutputBuffer;
  /** Where each record begins, and the end of the last. */
  readonly #offsets: number[];

  /** Passing `memory`, such as the result of an earlier writer's `release`, saves an allocation. */
  constructor(identity: StreamIdentity, initialBytes = defaultInitialBytes, memory?: Uint8Array) {
    this.#encoder = new RecordEncoder(identity);
    this.#resource = field(
      Tag.resource,
      stringAttribute(Tag.resourceAttributes, 'service.name', identity.serviceName),
      stringAttribute(Tag.resourceAttributes, 'audit.organization.id', identity.organization),
    );
    this.#scope = field(
      Tag.scope,
      field(Tag.scopeName, text(scopeName)),
      field(Tag.scopeVersion, text(identity.version)),
    );
    this.#headRoom = maxFrameBytes + this.#resource.length + this.#scope.length;
    this.#out = new OutputBuffer(initialBytes, this.#headRoom, memory);
    this.#offsets = [this.#headRoom];
  }

  /** Encodes one entry as the last record. Never refuses one: see jsonValue.ts for unusual metadata. */
  append(entry: Entry, context: RecordContext): void {
    this.#encoder.write(this.#out, Tag.logRecords, entry, context);
    this.#offsets.push(this.#out.end);
  }

  get recordCount(): number {
    return this.#offsets.length - 1;
  }

  /** Size of `request()` in bytes. */
  get byteLength(): number {
    return this.byteLengthOf(0, this.recordCount);
  }

  /** Size of `request(from, to)` in bytes. */
  byteLengthOf(from: number, to: number): number {
    const { resourceLogs } = this.#measure(from, to);
    return 1 + varintSize(resourceLogs) + resourceLogs;
  }

  /**
   * The request with the records from `from` up to, not including, `to`, 0 ≤ from ≤ to ≤ recordCount. A request that begins with the
   * first record is a view of the writer's own memory, without a copy: it is valid until the next `append`,
   * `request` or `clear`. Any other is a copy.
   */
  request(from = 0, to = this.recordCount): Uint8Array {
    const { start, end, scopeLogs, resourceLogs } = this.#measure(from, to);
    const size = 1 + varintSize(resourceLogs) + resourceLogs;
    const headBytes = size - (end - start);
    const bytes = from === 0 ? this.#out.bytes.subarray(start - headBytes, end) : new Uint8Array(size);
    if (from !== 0) bytes.set(this.#out.bytes.subarray(start, end), headBytes);
    bytes[0] = Tag.resourceLogs;
    let pos = writeVarint(bytes, 1, resourceLogs);
    bytes.set(this.#resource, pos);
    pos += this.#resource.length;
    bytes[pos] = Tag.scopeLogs;
    pos = writeVarint(bytes, pos + 1, scopeLogs);
    bytes.set(this.#scope, pos);
    return bytes;
  }

  /** Forgets the records and keeps the memory. */
  clear(): void {
    this.#offsets.length = 1;
    this.#out.end = this.#headRoom;
  }

  /** Ends the writer and returns its memory: none of its requests may still be in use. */
  release(): Uint8Array {
    const { bytes } = this.#out;
    this.clear();
    this.#out.bytes = new Uint8Array(0);
    return bytes;
  }

  /** Where the records lie, and the lengths of the two messages around them. */
  #measure(
    from: number,
    to: number,
  ): { start: number; end: number; scopeLogs: number; resourceLogs: number } {
    const start = this.#offsets[from];
    const end = this.#offsets[to];
    if (start === undefined || end === undefined || end < start) {
      throw new RangeError(`records ${from} to ${to} of ${this.recordCount}`);
    }
    const scopeLogs = this.#scope.length + end - start;
    const resourceLogs = this.#resource.length + 1 + varintSize(scopeLogs) + scopeLogs;
    return { start, end, scopeLogs, resourceLogs };
  }
}
