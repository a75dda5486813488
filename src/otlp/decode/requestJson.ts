/**
 * An encoded ExportLogsServiceRequest as OTLP/JSON, so that a person can read just what is sent: the encoder stays the only place
 * that decides what that is. By the JSON mapping of protobuf, with the exceptions of OTLP (specification, "JSON Protobuf Encoding").
 */
import protobuf from 'protobufjs/minimal.js';

type Reader = protobuf.Reader;
type Scalar = 'string' | 'bytes' | 'bool' | 'int64' | 'fixed64' | 'double' | 'int32';
type MessageName =
  | 'request'
  | 'resourceLogs'
  | 'resource'
  | 'scopeLogs'
  | 'scope'
  | 'logRecord'
  | 'keyValue'
  | 'anyValue'
  | 'arrayValue'
  | 'keyValueList';
type Row = readonly [name: string, type: Scalar | MessageName, repeated?: 'repeated'];

/** logs_service.proto, logs.proto, resource.proto, common.proto: the fields that the encoder writes, by their numbers. */
const messages: Readonly<Record<MessageName, Readonly<Record<number, Row>>>> = {
  request: { 1: ['resourceLogs', 'resourceLogs', 'repeated'] },
  resourceLogs: { 1: ['resource', 'resource'], 2: ['scopeLogs', 'scopeLogs', 'repeated'] },
  resource: { 1: ['attributes', 'keyValue', 'repeated'] },
  scopeLogs: { 1: ['scope', 'scope'], 2: ['logRecords', 'logRecord', 'repeated'] },
  scope: { 1: ['name', 'string'], 2: ['version', 'string'] },
  logRecord: {
    1: ['timeUnixNano', 'fixed64'],
    2: ['severityNumber', 'int32'],
    5: ['body', 'anyValue'],
    6: ['attributes', 'keyValue', 'repeated'],
    11: ['observedTimeUnixNano', 'fixed64'],
    12: ['eventName', 'string'],
  },
  keyValue: { 1: ['key', 'string'], 2: ['value', 'anyValue'] },
  anyValue: {
    1: ['stringValue', 'string'],
    2: ['boolValue', 'bool'],
    3: ['intValue', 'int64'],
    4: ['doubleValue', 'double'],
    5: ['arrayValue', 'arrayValue'],
    6: ['kvlistValue', 'keyValueList'],
    7: ['bytesValue', 'bytes'],
  },
  arrayValue: { 1: ['values', 'anyValue', 'repeated'] },
  keyValueList: { 1: ['values', 'keyValue', 'repeated'] },
};

/** 64-bit numbers are decimal strings; a number that JSON does not have is its name. */
const scalars: Readonly<Record<Scalar, (reader: Reader) => unknown>> = {
  string: (reader) => reader.string(),
  bytes: (reader) => Buffer.from(reader.bytes()).toString('base64'),
  bool: (reader) => reader.bool(),
  int64: (reader) => reader.int64().toString(),
  fixed64: (reader) => reader.fixed64().toString(),
  double: (reader) => {
    const value = reader.double();
    return Number.isFinite(value) ? value : String(value);
  },
  int32: (reader) => reader.int32(),
};

/** @throws on bytes that are no such message: they come from the encoder. */
export function requestToJson(request: Uint8Array): unknown {
  return readMessage(protobuf.Reader.create(request), request.length, 'request');
}

function readMessage(reader: Reader, end: number, type: MessageName): Record<string, unknown> {
  const fields = messages[type];
  const message: Record<string, unknown> =
    type === 'arrayValue' || type === 'keyValueList' ? { values: [] } : {};
  while (reader.pos < end) {
    const number = reader.uint32() >>> 3;
    const row = fields[number];
    if (row === undefined)
      throw new RangeError(`${type} has a field ${number}, which has no place in the JSON.`);
    const [name, kind, repeated] = row;
    const value = isScalar(kind) ? scalars[kind](reader) : readInner(reader, kind);
    if (repeated === undefined) message[name] = value;
    else message[name] = [...((message[name] as unknown[] | undefined) ?? []), value];
  }
  return message;
}

function readInner(reader: Reader, type: MessageName): Record<string, unknown> {
  const length = reader.uint32();
  return readMessage(reader, reader.pos + length, type);
}

function isScalar(kind: Scalar | MessageName): kind is Scalar {
  return Object.hasOwn(scalars, kind);
}
