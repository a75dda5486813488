import protobuf from 'protobufjs';

/** What identifies a record, read without decoding the rest of it. */
export interface RecordSlice {
  /** The LogRecord message exactly as it was sent. */
  readonly bytes: Uint8Array;
  readonly uid: string;
  readonly streamId: string;
  readonly sequence: number;
}

const lengthDelimited = 2;

/** The records of an ExportLogsServiceRequest, in order. @throws on malformed protobuf. */
export function sliceRecords(request: Uint8Array): RecordSlice[] {
  return submessages(request, 1) // resource_logs
    .flatMap((resourceLogs) => submessages(resourceLogs, 2)) // scope_logs
    .flatMap((scopeLogs) => submessages(scopeLogs, 2)) // log_records
    .map(toSlice);
}

function toSlice(bytes: Uint8Array): RecordSlice {
  let uid = '';
  let streamId = '';
  let sequence = 0;
  for (const attribute of submessages(bytes, 6)) {
    const key = textOf(submessages(attribute, 1)[0]);
    const [value] = submessages(attribute, 2);
    if (value === undefined) continue;
    if (key === 'log.record.uid') uid = textOf(submessages(value, 1)[0]);
    else if (key === 'audit.stream.id') streamId = textOf(submessages(value, 1)[0]);
    else if (key === 'audit.sequence.number') sequence = intOf(value);
  }
  return { bytes, uid, streamId, sequence };
}

/** Every length-delimited field of that number, as slices of the message. */
function submessages(message: Uint8Array, number: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  const reader = protobuf.Reader.create(message);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === number && (tag & 7) === lengthDelimited) found.push(reader.bytes());
    else reader.skipType(tag & 7);
  }
  return found;
}

/** AnyValue.int_value = 3. */
function intOf(value: Uint8Array): number {
  const reader = protobuf.Reader.create(value);
  return reader.uint32() === 3 << 3 ? Number(reader.int64()) : 0;
}

function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}
