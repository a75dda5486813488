/**
 * Decodes ExportLogsServiceResponse: what a receiver says of a batch it has taken.
 */
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
  | { readonly kind: 'undecodable' };

const undecodable: ExportResponse = { kind: 'undecodable' };

/**
 * By the answer's own type, whatever the request's was; without a type, by its first byte. Never throws. An empty
 * protobuf body is a full success; so is a JSON object without `partialSuccess`, since unknown fields are ignored.
 */
export function decodeExportResponse({ headers, body }: Response): ExportResponse {
  switch (readMediaType(headers['content-type'])) {
    case 'protobuf':
      return decodeProtobuf(body);
    case 'json':
      return decodeJson(body);
    case 'absent':
      return body[0] === '{'.charCodeAt(0) ? decodeJson(body) : decodeProtobuf(body);
    case 'html':
    case 'text':
    case 'other':
      return undecodable;
  }
}

/** partial_success = 1 { rejected_log_records = 1 int64, error_message = 2 string } */
function decodeProtobuf(body: Uint8Array): ExportResponse {
  let rejected = 0;
  let message = '';
  try {
    readFields(body, {
      1: {
        wireType: 2,
        read: (outer) =>
          readFields(outer.bytes(), {
            1: {
              wireType: 0,
              read: (reader) => {
                rejected = Number(String(reader.int64()));
              },
            },
            2: {
              wireType: 2,
              read: (reader) => {
                message = reader.string();
              },
            },
          }),
      },
    });
  } catch {
    return undecodable;
  }
  return isCount(rejected) ? { kind: 'decoded', rejected, message } : undecodable;
}

/** Both spellings of a name are allowed, and a 64-bit integer is a string or a number (ProtoJSON). */
function decodeJson(body: Uint8Array): ExportResponse {
  const answer = parseObject(body);
  if (!answer) return undecodable;
  const partial = answer['partialSuccess'] ?? answer['partial_success'] ?? {};
  if (!isObject(partial)) return undecodable;
  const rejected = readCount(partial['rejectedLogRecords'] ?? partial['rejected_log_records'] ?? 0);
  const message = partial['errorMessage'] ?? partial['error_message'] ?? '';
  if (rejected === null || typeof message !== 'string') return undecodable;
  return { kind: 'decoded', rejected, message };
}

function readCount(value: unknown): number | null {
  const isDigits = typeof value === 'string' && /^\d{1,19}$/.test(value);
  const count = isDigits ? Number(value) : value;
  return typeof count === 'number' && isCount(count) ? count : null;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

/** The JSON object in `body`, or null when it is anything else. Never throws. */
export function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
