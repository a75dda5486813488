/**
 * Decodes google.rpc.Status, which receivers answer failures with. Its message alone is read: the HTTP status decides what an
 * answer means (OTLP specification, "Failures").
 */
import { readFields } from './readFields.ts';

/** message = 2 string. Empty when the bytes are not such a message, or it has none; never throws. */
export function decodeStatusMessage(body: Uint8Array): string {
  let message = '';
  try {
    readFields(body, {
      1: { wireType: 0, read: (reader) => reader.int32() },
      2: {
        wireType: 2,
        read: (reader) => {
          message = reader.string();
        },
      },
    });
  } catch {
    return '';
  }
  return message;
}
