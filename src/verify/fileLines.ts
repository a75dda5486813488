/** A file's lines as bytes, read as a stream: no more than one line and one chunk are in memory. */
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { CopySource } from './copySource.ts';

/** A line without its line feed, valid during the call; `isWhole` is false when the file ends without one. */
export type OnLine = (line: Buffer, isWhole: boolean) => void;

const chunkBytes = 1_048_576;
/** A request of a Collector can hold 1,000 records of an entry's utmost size; no string of Node is longer. */
const maxLineBytes = 512 * 1_048_576;
const lineFeed = 0x0a;
const gzipHead = 0x1f;

/**
 * Calls `onLine` with each line of a file that may be compressed by gzip.
 *
 * @param onChunk is called after each chunk with the part of the file that was read, 0 to 1; null: its size is not known.
 * @throws Error from the source, of a broken gzip file, and of a line over 512 MiB.
 */
export async function readLines(
  source: CopySource,
  onLine: OnLine,
  onChunk: (part: number | null) => void,
): Promise<void> {
  const { stream, part } = await source.open();
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of unzipped(stream)) {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      const line = chunk.subarray(start, end);
      onLine(rest.length === 0 ? line : Buffer.concat([...rest, line]), true);
      [rest, restBytes] = [[], 0];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
    restBytes += chunk.length - start;
    if (restBytes > maxLineBytes) throw new Error('it has a line of more than 512 MiB');
    onChunk(part());
  }
  if (rest.length > 0) onLine(Buffer.concat(rest), false);
}

/** The bytes behind gzip, if it begins as that does: no text begins with this byte. */
async function* unzipped(stream: Readable): AsyncGenerator<Buffer> {
  const chunks = (stream as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return;
  const all = async function* (): AsyncGenerator<Buffer> {
    yield asBuffer(first.value);
    for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) yield asBuffer(chunk);
  };
  if (first.value[0] !== gzipHead) yield* all();
  else yield* pipeline(all(), createGunzip({ chunkSize: chunkBytes }), () => {}) as AsyncIterable<Buffer>;
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
