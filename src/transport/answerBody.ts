/**
 * Reads an answer's body no further than a limit, before and after inflating. An answer is a few bytes; a longer one
 * is a web page, a mistake or an attack, and is cut.
 */
import { createGunzip } from 'node:zlib';

/** OTLP specification: an answer above 4 MiB must not be read, compressed or not. */
export const maxAnswerBytes = 4 * 1024 * 1024;

export interface BoundedBytes {
  readonly bytes: Uint8Array;
  readonly truncated: boolean;
}

/** Rejects as the source does. A source that goes past the limit is destroyed, and with it the connection. */
export async function readBounded(source: AsyncIterable<Uint8Array>, limit: number): Promise<BoundedBytes> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    chunks.push(chunk);
    length += chunk.byteLength;
    if (length > limit) return { bytes: Buffer.concat(chunks, limit), truncated: true };
  }
  return { bytes: Buffer.concat(chunks, length), truncated: false };
}

/**
 * Undoes gzip, which some receivers use unasked. Bytes that are no gzip come back as they are: the status code is
 * still worth judging, and as an answer of OTLP they will not pass.
 */
export async function inflateBounded(body: BoundedBytes, limit: number): Promise<BoundedBytes> {
  const gunzip = createGunzip();
  gunzip.end(body.bytes);
  try {
    const inflated = await readBounded(gunzip, limit);
    return { bytes: inflated.bytes, truncated: inflated.truncated || body.truncated };
  } catch {
    return body;
  }
}
