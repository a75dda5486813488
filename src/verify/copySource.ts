/** Where one file of a copy is read from: the disk, or a server. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { ask, isUrl, readStart } from './http.ts';

export interface CopySource {
  /** For people; a URL is without its query, which may hold a token. */
  readonly name: string;
  /** Milliseconds since 1970 until when it is whole; of a file that cannot be read, now. */
  takenAtMs(): Promise<number>;
  /** @throws Error from the file system, or a sentence of what a server answered. */
  open(): Promise<OpenedSource>;
}

export interface OpenedSource {
  readonly stream: Readable;
  /** The part that was read so far, 0 to 1; null: the size is not known. */
  part(): number | null;
}

/** What a receiver had taken this long ago can be read from it: some index for seconds before they show a record. */
const indexingMs = 60_000;
const chunkBytes = 1_048_576;

/** @param headers of each request to a server. */
export function openSource(file: string, headers: Readonly<Record<string, string>>): CopySource {
  return isUrl(file) ? fromServer(new URL(file), headers) : fromDisk(file);
}

function fromDisk(file: string): CopySource {
  return {
    name: file,
    takenAtMs: async () => {
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
      return Math.min(Date.now(), mtimeMs) - indexingMs;
    },
    open: async () => {
      const { size } = await stat(file);
      const stream = createReadStream(file, { highWaterMark: chunkBytes });
      return { stream, part: () => (size === 0 ? 1 : stream.bytesRead / size) };
    },
  };
}

function fromServer(url: URL, headers: Readonly<Record<string, string>>): CopySource {
  return {
    name: `${url.origin}${url.pathname}`,
    takenAtMs: async () => Date.now() - indexingMs,
    open: async () => {
      const response = await ask(url, headers);
      if (!response.ok || response.body === null) {
        const said = Buffer.from(await readStart(response, 200)).toString();
        throw new Error(`the server answered ${response.status}: ${said.slice(0, 200)}`);
      }
      return { stream: Readable.fromWeb(response.body as never), part: () => null };
    },
  };
}
