/** Decodes ExportLogsServiceResponse: what a receiver says about a batch it has accepted. */
import { isMap } from '../../basics/isMap.ts';
import type { Response } from '../../model/answer.ts';
import { readMediaType } from './mediaType.ts';
import { readFields } from './readFields.ts';

export type ExportResponse =
  | {
      readonly kind: 'decoded';
      /** 0 when all records were kept. */
      readonly rejected: number;
      /** The receiver's words, raw; empty when it had none. */
      readonly message: string;
    }
  /** A JSON object or a protobuf message, but of another kind: a gateway's own error, for example. */
  | { readonly kind: 'other-object' }
  | { readonly kind: 'undecodable' };

const undecodable: ExportResponse = { kind: 'undecodable' };
const otherObject: ExportResponse = { kind: 'other-object' };

/**
 * Decodes by the answer's own type, whatever the request's was; where the type says nothing (absent, octet-stream), by the
 * first byte. Plain text may be JSON. Never throws.
 *
 * An OTLP answer is empty, or has at least one field of OTLP; unknown fields beside it come from a later version and are
 * ignored. An object with nothing but unknown fields comes from something else: gateways answer 200 with
 * `{"errorMessage": "Task timed out"}`.
 */
export function decodeExportResponse({ headers, body }: Response): ExportResponse {
  const isJsonObject = body[0] === '{'.charCodeAt(0);
  switch (readMediaType(headers['content-type'])) {
    case 'protobuf':
      return decodeProtobuf(body);
    case 'json':
      return decodeJson(body);
    case 'absent':
    case 'bytes':
      return isJsonObject ? decodeJson(body) : decodeProtobuf(body);
    case 'text':
      return decodeJson(body);
    case 'html':
    case 'other':
      return undecodable;
  }
}

/** partial_success = 1 { rejected_log_records = 1 int64, error_message = 2 string } */
function decodeProtobuf(body: Uint8Array): ExportResponse {
  let rejected = 0;
  let message = '';
  let isOtlp = body.byteLength === 0;
  try {
    readFields(body, {
      1: {
        wireType: 2,
        read: (outer) => {
          const inner = outer.bytes();
          if (inner.byteLength === 0) isOtlp = true;
          readFields(inner, {
            1: {
              wireType: 0,
              read: (reader) => {
                rejected = Number(String(reader.int64()));
                isOtlp = true;
              },
            },
            2: {
              wireType: 2,
              read: (reader) => {
                message = readText(reader.bytes());
                isOtlp = true;
              },
            },
          });
        },
      },
    });
  } catch {
    return undecodable;
  }
  if (!isOtlp) return otherObject;
  return isCount(rejected) ? { kind: 'decoded', rejected, message } : undecodable;
}

/** @throws TypeError when it is not UTF-8, which a string of protobuf must be. */
function readText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

const saysError = /^(?:error|fault|exception)/i;

/** Both spellings of a name are allowed, and a 64-bit integer is a string or a number (ProtoJSON). */
function decodeJson(body: Uint8Array): ExportResponse {
  const answer = parseObject(body);
  if (!answer) return undecodable;
  if (!isEmptyOrHas(answer, ['partialSuccess', 'partial_success'])) return otherObject;
  // The same field twice: nobody knows which one counts.
  if ('partialSuccess' in answer && 'partial_success' in answer) return otherObject;
  const partial = answer['partialSuccess'] ?? answer['partial_success'] ?? {};
  if (!isMap(partial)) return undecodable;
  // Unknown fields are ignored, as in protobuf, unless one says that something went wrong.
  if (Object.keys(partial).length === 0 && Object.keys(answer).some((name) => saysError.test(name)))
    return otherObject;
  if (
    !isEmptyOrHas(partial, ['rejectedLogRecords', 'rejected_log_records', 'errorMessage', 'error_message'])
  ) {
    return otherObject;
  }
  const rejected = readCount(partial['rejectedLogRecords'] ?? partial['rejected_log_records'] ?? 0);
  const message = partial['errorMessage'] ?? partial['error_message'] ?? '';
  if (rejected === null || typeof message !== 'string') return undecodable;
  return { kind: 'decoded', rejected, message };
}

function isEmptyOrHas(object: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  return Object.keys(object).length === 0 || names.some((name) => Object.hasOwn(object, name));
}

function readCount(value: unknown): number | null {
  const isDigits = typeof value === 'string' && /^\d{1,19}$/.test(value);
  const count = isDigits ? Number(value) : value;
  return typeof count === 'number' && isCount(count) ? count : null;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

/** A longer body is never parsed: it would block the event loop, and no OTLP answer is nearly as long. */
const maxJsonBytes = 64 * 1024;

/** The JSON object in `body`, or null when it is anything else, or longer than 64 KiB. Never throws. */
export function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> | null {
  if (body.byteLength > maxJsonBytes) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return isMap(value) ? value : null;
  } catch {
    return null;
  }
}
