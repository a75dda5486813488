/** The streams that run in this replica: starts their loops, and ends them without keeping anybody waiting. */
import type { ExportConfig } from '../model/exportConfig.ts';
import type { StreamRow } from '../model/stream.ts';
import type { DeliveryContext } from './deliveryContext.ts';
import { Linger } from './linger.ts';
import { ReadPlaces } from './readPlaces.ts';
import { Stream } from './stream.ts';
import { StreamLoop } from './streamLoop.ts';
import { TrickleReads } from './trickleReads.ts';

export interface RunningStreamsOptions {
  readonly shared: Omit<DeliveryContext, 'reads' | 'trickles' | 'linger'>;
  /** Lets go of a stream's lease. */
  readonly release: (id: string) => Promise<void>;
  /** Must not throw. */
  readonly onHealthChange: (stream: Stream) => void;
  /** A stream is not sent any more. Must not reject. */
  readonly onEnded: (stream: Stream) => Promise<void>;
  /** A loop has ended because its lease is lost. Must not throw. */
  readonly onLeaseLost: () => void;
}

export class RunningStreams {
  readonly #options: RunningStreamsOptions;
  readonly #shared: DeliveryContext;
  /** By stream id, as is `#ending`. */
  readonly #loops = new Map<string, StreamLoop>();
  /** Loops on their way out. */
  readonly #ending = new Map<string, { readonly loop: StreamLoop; readonly done: Promise<void> }>();

  constructor(options: RunningStreamsOptions) {
    this.#options = options;
    const reads = new ReadPlaces(options.shared.db.options.max);
    this.#shared = {
      ...options.shared,
      reads,
      trickles: new TrickleReads(reads),
      linger: new Linger(),
    };
  }

  get size(): number {
    return this.#loops.size;
  }

  /** Ids of those that run, with the token that each was taken with. */
  get tokens(): Map<string, string> {
    return new Map([...this.#loops].map(([id, { stream }]) => [id, stream.position.row.token]));
  }

  /** Ids of those on their way out. */
  get ending(): Set<string> {
    return new Set(this.#ending.keys());
  }

  get all(): Stream[] {
    return [...this.#loops.values()].map(({ stream }) => stream);
  }

  find(id: string): StreamLoop | undefined {
    return this.#loops.get(id);
  }

  start(row: StreamRow, config: ExportConfig): void {
    const stream = new Stream(this.#shared, row, config, this.#options.onHealthChange);
    const loop = new StreamLoop(stream, () => {
      stream.log.info('the lease of this stream is lost: another replica has it, or will');
      if (this.#loops.get(stream.id) === loop) this.#loops.delete(stream.id);
      stream.metrics.remove();
      this.#options.onLeaseLost();
    });
    this.#loops.set(stream.id, loop);
    loop.start();
  }

  /**
   * Ends a loop without being waited for: a receiver that hangs must not keep the lease of all others from being renewed.
   * `given`: what is in flight is settled, then the stream is released. `lost`: it is aborted.
   */
  end(id: string, why: 'lost' | 'given'): void {
    const loop = this.#loops.get(id);
    if (!loop) return;
    this.#loops.delete(id);
    if (why === 'lost') loop.abort();
    const { log, metrics } = loop.stream;
    const done = loop
      .stop()
      .then(async () => {
        await this.#options.onEnded(loop.stream);
        if (why === 'given') await this.#options.release(id);
      })
      .catch((error: unknown) =>
        log.debug({ err: error }, 'could not release a stream; the next renewal does'),
      )
      .finally(() => {
        metrics.remove();
        this.#ending.delete(id);
        log.info({ why }, 'gave up a stream');
      });
    this.#ending.set(id, { loop, done });
  }

  /** Stops every loop, and aborts what is in flight after `graceMs`. Resolves when nothing of it runs any more. */
  async drain(graceMs: number): Promise<void> {
    const ending = [...this.#ending.values()];
    const loops = [...this.#loops.values(), ...ending.map(({ loop }) => loop)];
    const timer = setTimeout(() => {
      this.#shared.log.warn(
        { graceMs },
        'requests in flight were not answered in time: aborting them; their entries go again',
      );
      for (const loop of loops) loop.abort();
    }, graceMs);
    await Promise.all([...loops.map((loop) => loop.stop()), ...ending.map(({ done }) => done)]);
    clearTimeout(timer);
  }
}
