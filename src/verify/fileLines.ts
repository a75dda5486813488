/** A file's lines as bytes, read as a stream: no more than one line and one chunk are in memory. */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

/** A line without its line feed, valid during the call; `isWhole` is false when the file ends without one. */
export type OnLine = (line: Buffer, isWhole: boolean) => void;

const chunkBytes = 1_048_576;
/** A request of a Collector can hold 1,000 records of an entry's utmost size; no string of Node is longer. */
const maxLineBytes = 512 * 1_048_576;
const lineFeed = 0x0a;

/**
 * Calls `onLine` with each line of a file that may be compressed by gzip.
 *
 * @param onChunk is called after each chunk with the part of the file that was read, 0 to 1.
 * @throws Error from the file system, of a broken gzip file, and of a line over 512 MiB.
 */
export async function readLines(
  path: string,
  onLine: OnLine,
  onChunk: (part: number) => void,
): Promise<void> {
  const { size } = await stat(path);
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const stream = (await isGzip(path)) ? file.pipe(createGunzip({ chunkSize: chunkBytes })) : file;
  if (stream !== file) file.on('error', (error) => stream.destroy(error));
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
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
    onChunk(size === 0 ? 1 : file.bytesRead / size);
  }
  if (rest.length > 0) onLine(Buffer.concat(rest), false);
}

async function isGzip(path: string): Promise<boolean> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}
