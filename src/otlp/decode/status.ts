/**
 * Decodes google.rpc.Status, which receivers answer failures with. The code is for people: what an answer means is
 * decided by the HTTP status (OTLP specification, "Failures").
 */
import { readFields } from './readFields.ts';

export interface RpcStatus {
  readonly code: number;
  readonly message: string;
}

/** code = 1 int32, message = 2 string, details = 3. null when the bytes are no such message; never throws. */
export function decodeStatus(body: Uint8Array): RpcStatus | null {
  let code = 0;
  let message = '';
  try {
    readFields(body, {
      1: {
        wireType: 0,
        read: (reader) => {
          code = reader.int32();
        },
      },
      2: {
        wireType: 2,
        read: (reader) => {
          message = reader.string();
        },
      },
    });
  } catch {
    return null;
  }
  return { code, message };
}
