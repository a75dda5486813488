/**
 * Compresses bodies of requests. Each is one gzip member or one zstd frame, with the same bytes for the same body, by whichever
 * compressor.
 *
 * A small body is compressed at once: a thread's help would take longer than the work. Otherwise compressors are used again: their state and buffers are large, and to make them for each request is what V8's garbage collector would
 * work for most.
 */
import {
  constants,
  createGzip,
  createZstdCompress,
  type Gzip,
  gzipSync,
  type ZstdCompress,
  zstdCompressSync,
} from 'node:zlib';
import type { Compression } from '../model/exportConfig.ts';

type Compressor = Gzip | ZstdCompress;

/** Room for a whole result at once, which a batch of a thousand entries seldom exceeds: with zlib's 16 KiB it returns to the event loop twenty times. */
const chunkSize = 256 * 1024;
/** How many there are of each kind: as many as the threads that work for them. A level-1 gzip keeps 0.5 MiB, a zstd 1.5 MiB. */
const most = 4;

/** A body of up to so many bytes takes 0.05 ms, half of what it takes with a thread. */
const smallBytes = 8 * 1024;
// Level 1 shrinks to 1/7.9, level 6 to 1/9.2 for twice the processor time.
const gzipLevel = 1;
const zstdParams = { [constants.ZSTD_c_compressionLevel]: 1 };

const codings = {
  gzip: {
    compressSmall: (body: Uint8Array): Uint8Array => gzipSync(body, { level: gzipLevel }),
    make: (): Compressor =>
      createGzip({ level: gzipLevel, memLevel: 9, chunkSize, flush: constants.Z_FINISH }),
    // Node's documents have it for every zlib stream; its types do not.
    makeReady: (gzip: Compressor) => (gzip as Compressor & { reset(): void }).reset(),
  },
  zstd: {
    compressSmall: (body: Uint8Array): Uint8Array => zstdCompressSync(body, { params: zstdParams }),
    make: (): Compressor =>
      createZstdCompress({
        chunkSize,
        flush: constants.ZSTD_e_end,
        params: zstdParams,
      }),
    // The end of a frame makes it ready for the next one; a reset would make a new context.
    makeReady: () => {},
  },
} satisfies Record<Exclude<Compression, 'none'>, unknown>;

export class Compressors {
  readonly #kept = { gzip: new Kept(codings.gzip.make), zstd: new Kept(codings.zstd.make) };

  /** The body as it is sent. @throws Error if the library fails: a bug. */
  async compress(compression: Compression, body: Uint8Array): Promise<Uint8Array> {
    if (compression === 'none') return body;
    if (body.length <= smallBytes) return codings[compression].compressSmall(body);
    const kept = this.#kept[compression];
    const compressor = await kept.take();
    try {
      const result = await compressWhole(compressor, body);
      codings[compression].makeReady(compressor);
      kept.give(compressor);
      return result;
    } catch (error) {
      kept.drop(compressor);
      throw error;
    }
  }
}

/** Compressors of one kind, made when they are first needed, and waited for when all are at work. */
export class Kept {
  readonly #make: () => Compressor;
  readonly #idle: Compressor[] = [];
  /** null: there is room for another. */
  readonly #waiting: Array<(compressor: Compressor | null) => void> = [];
  #made = 0;

  constructor(make: () => Compressor) {
    this.#make = make;
  }

  /** @throws Error when there is no memory for another. */
  async take(): Promise<Compressor> {
    const compressor = this.#idle.pop() ?? (this.#made < most ? this.#makeOne() : await this.#wait());
    return compressor ?? this.take();
  }

  give(compressor: Compressor): void {
    const next = this.#waiting.shift();
    if (next) next(compressor);
    else this.#idle.push(compressor);
  }

  /** One that failed is not used again. */
  drop(compressor: Compressor): void {
    compressor.destroy();
    this.#made--;
    this.#waiting.shift()?.(null);
  }

  #makeOne(): Compressor {
    try {
      const compressor = this.#make();
      this.#made++;
      return compressor;
    } catch (error) {
      // There may be nobody else to wake the next one.
      this.#waiting.shift()?.(null);
      throw error;
    }
  }

  #wait(): Promise<Compressor | null> {
    return new Promise((resolve) => this.#waiting.push(resolve));
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
