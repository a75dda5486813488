/**
 * Compresses bodies of requests. Each is one gzip member or one zstd frame, with the same bytes for the same body, by whichever
 * compressor.
 *
 * Compressors are used again: their state and buffers are large, and to make them for each request is what V8's garbage collector would
 * work for most.
 */
import { constants, createGzip, createZstdCompress, type Gzip, type ZstdCompress } from 'node:zlib';
import type { Compression } from '../model/exportConfig.ts';

type Compressor = Gzip | ZstdCompress;

/** Room for a whole result at once, which a batch of a thousand entries seldom exceeds: with zlib's 16 KiB it returns to the event loop twenty times. */
const chunkSize = 256 * 1024;
/** Waiting for their next body; further ones are ended. A level-1 gzip keeps 0.5 MiB, a zstd 1.5 MiB. */
const mostIdle = 4;

const codings = {
  gzip: {
    // Level 1 shrinks to 1/7.9, level 6 to 1/9.2 for twice the processor time.
    make: (): Compressor => createGzip({ level: 1, memLevel: 9, chunkSize, flush: constants.Z_FINISH }),
    // Node's documents have it for every zlib stream; its types do not.
    makeReady: (gzip: Compressor) => (gzip as Compressor & { reset(): void }).reset(),
  },
  zstd: {
    make: (): Compressor =>
      createZstdCompress({
        chunkSize,
        flush: constants.ZSTD_e_end,
        params: { [constants.ZSTD_c_compressionLevel]: 1 },
      }),
    // The end of a frame makes it ready for the next one; a reset would make a new context.
    makeReady: () => {},
  },
} satisfies Record<Exclude<Compression, 'none'>, unknown>;

export class Compressors {
  readonly #idle = { gzip: [] as Compressor[], zstd: [] as Compressor[] };

  /** The body as it is sent. @throws Error if the library fails: a bug. */
  async compress(compression: Compression, body: Uint8Array): Promise<Uint8Array> {
    if (compression === 'none') return body;
    const { make, makeReady } = codings[compression];
    const idle = this.#idle[compression];
    const compressor = idle.pop() ?? make();
    const result = await compressWhole(compressor, body);
    makeReady(compressor);
    if (idle.length < mostIdle) idle.push(compressor);
    else compressor.destroy();
    return result;
  }
}

function compressWhole(compressor: Compressor, body: Uint8Array): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const pieces: Buffer[] = [];
  const take = (piece: Buffer): void => void pieces.push(piece);
  compressor.once('error', reject).on('data', take);
  // It is called after the last piece: `flush` says that each write ends a member, or a frame.
  compressor.write(body, (error) => {
    // The listener stays after an error: the stream emits it once more, and nobody else listens.
    if (error) return reject(error);
    compressor.off('error', reject).off('data', take);
    resolve(pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces));
  });
  return promise;
}
