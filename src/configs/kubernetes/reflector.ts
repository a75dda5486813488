/**
 * Keeps a copy of some API objects up to date, for as long as it is not stopped.
 *
 *   syncing ──► watching ──► syncing (expired, or the periodic re-read is due)
 *      └───────────┴──► waiting (any failure) ──► where it was
 *
 * Promises:
 *  - No failure is final: 401, 403, 404, 429, 5xx and a server that is away are tried again after a jittered back-off.
 *  - The copy only ever shows what the server said: nothing is deleted because it could not be read.
 *  - After `stop` resolves nothing runs, no timer is left, and the sink is not called any more.
 *
 * Not here: what the objects mean; how requests are made (apiClient.ts).
 */

import type { BackoffLimits } from '../../basics/backoff.ts';
import { pause } from '../../basics/wait.ts';
import type { ApiAnswer, ApiFailure } from './apiAnswer.ts';
import { type ApiClient, describeError } from './apiClient.ts';
import type { KubeObject } from './kubeObject.ts';
import type { Snapshot } from './listPages.ts';
import { RetryDelay } from './retryDelay.ts';
import { followWatch, type WatchEnd } from './watchRound.ts';

export interface ReflectorSink {
  /** Everything there is. */
  replace(objects: readonly KubeObject[]): void;
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void;
  /** null: it works. Also called when nothing has changed. */
  onHealth(failure: ApiFailure | null): void;
}

export interface ReflectorOptions {
  readonly api: ApiClient;
  /** Of the collection that is watched. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Watch the metadata of the objects alone. */
  readonly metadataOnly?: boolean;
  readonly list: (signal: AbortSignal) => Promise<ApiAnswer<Snapshot>>;
  /** Ask for the initial state within the watch (WatchList), and list only where the server does not know that. */
  readonly streamsInitialState: boolean;
  readonly sink: ReflectorSink;
  /** Whoever reads goes another way as long as it is forbidden (timing.forbiddenMs). */
  readonly isBypassable?: boolean;
  /** Before each watch is opened. */
  readonly waitTurn?: (signal: AbortSignal) => Promise<void>;
  /** A watch was opened that is not the first. */
  readonly onRestart?: () => void;
  readonly retry?: BackoffLimits;
  readonly timing?: Partial<ReflectorTiming>;
}

export interface ReflectorTiming {
  /** Everything is read again after this long, in case an event was lost. */
  readonly rereadMs: number;
  /** The server ends each watch after a random time between the two. */
  readonly watchSeconds: { readonly min: number; readonly max: number };
  /** A watch this quiet is opened anew: even an idle one gets a bookmark every minute or two. */
  readonly quietMs: number;
  /** What is forbidden is tried again after this long at the soonest, where there is another way meanwhile. */
  readonly forbiddenMs: number;
}

const defaultTiming: ReflectorTiming = {
  rereadMs: 600_000,
  watchSeconds: { min: 300, max: 600 },
  quietMs: 240_000,
  forbiddenMs: 300_000,
};

export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #timing: ReflectorTiming;
  readonly #delay: RetryDelay;
  readonly #stopped = new AbortController();
  /** Where the next watch goes on from; null: read everything first. */
  #resourceVersion: string | null = null;
  #rereadAt = 0;
  #streamsInitialState: boolean;
  #watches = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.#delay = new RetryDelay(options.retry);
    this.#streamsInitialState = options.streamsInitialState;
  }

  /** Call it once. */
  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    let expiries = 0;
    while (!signal.aborted) {
      const end = await this.#round();
      if (signal.aborted) return;
      switch (end.kind) {
        case 'ended':
          expiries = 0;
          break;
        case 'expired':
          this.#resourceVersion = null;
          // Once is normal after a long silence; again and again it must not become a loop.
          expiries++;
          if (expiries > 1) await pause(this.#delay.next(), signal);
          break;
        case 'failed':
          this.#options.sink.onHealth(end.failure);
          if (mustReadAgain(end.failure)) this.#resourceVersion = null;
          await pause(this.#delay.next(this.#retryAfter(end.failure)), signal);
      }
    }
  }

  /** One read if it is due, and one watch. */
  async #round(): Promise<WatchEnd> {
    const { signal } = this.#stopped;
    const isDue = this.#resourceVersion === null || performance.now() >= this.#rereadAt;
    const isStreamed = isDue && this.#streamsInitialState;
    if (isDue && !isStreamed) {
      const listed = await this.#options.list(signal);
      if (signal.aborted) return { kind: 'ended' };
      if (listed.kind !== 'ok') return toEnd(listed);
      this.#take(listed.body);
    }
    return await this.#watch(isStreamed);
  }

  async #watch(isStreamed: boolean): Promise<WatchEnd> {
    const { api, path, query, metadataOnly = false, waitTurn, onRestart, sink } = this.#options;
    const { signal } = this.#stopped;
    await waitTurn?.(signal);
    const { min, max } = this.#timing.watchSeconds;
    const timeoutSeconds = Math.round(min + Math.random() * (max - min));
    // Our own end of this one watch; the reflector's goes through it.
    const own = new AbortController();
    const onStop = () => own.abort();
    signal.addEventListener('abort', onStop, { once: true });
    if (signal.aborted) own.abort();
    try {
      const from: Record<string, string> = isStreamed
        ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
        : this.#resourceVersion
          ? { resourceVersion: this.#resourceVersion }
          : {};
      const common = { allowWatchBookmarks: 'true', timeoutSeconds: String(timeoutSeconds) };
      const opened = await api.watch({
        path,
        query: { ...query, ...common, ...from },
        metadataOnly,
        signal: own.signal,
      });
      if (signal.aborted) return { kind: 'ended' };
      if (opened.kind !== 'open') {
        if (!isStreamed || opened.kind !== 'refused' || ![400, 422].includes(opened.code))
          return toEnd(opened);
        this.#streamsInitialState = false;
        return { kind: 'ended' };
      }
      if (this.#watches++ > 0) onRestart?.();
      if (!isStreamed) this.#healthy();
      const untilReread = isStreamed ? this.#timing.rereadMs : this.#rereadAt - performance.now();
      return await followWatch({
        events: opened.events,
        end: own,
        signal,
        isStreamed,
        quietMs: this.#timing.quietMs,
        deadlineMs: Math.min((timeoutSeconds + deadlineGraceSeconds) * 1_000, Math.max(0, untilReread)),
        onInitial: (snapshot) => {
          this.#take(snapshot);
          this.#healthy();
        },
        onUnsupported: () => {
          this.#streamsInitialState = false;
        },
        onProgress: (resourceVersion) => {
          this.#resourceVersion = resourceVersion;
        },
        onChange: (type, object) => sink.apply(type, object),
      });
    } catch (error) {
      return { kind: 'failed', failure: { kind: 'unreachable', message: describeError(error) } };
    } finally {
      own.abort();
      signal.removeEventListener('abort', onStop);
    }
  }

  #take(snapshot: Snapshot): void {
    this.#options.sink.replace(snapshot.objects);
    this.#resourceVersion = snapshot.resourceVersion;
    // Spread, so that a thousand reflectors started together do not read together for ever.
    this.#rereadAt = performance.now() + this.#timing.rereadMs * (0.75 + Math.random() / 4);
  }

  #retryAfter(failure: ApiFailure): number | null {
    if (failure.kind !== 'refused') return null;
    const isBypassed = this.#options.isBypassable && failure.code === 403;
    return isBypassed ? this.#timing.forbiddenMs : failure.retryAfterMs;
  }

  #healthy(): void {
    this.#delay.healthy();
    this.#options.sink.onHealth(null);
  }
}

/** The server ends a watch itself; when it does not, the connection is dead. */
const deadlineGraceSeconds = 15;

function toEnd(failure: ApiFailure): WatchEnd {
  return failure.kind === 'refused' && failure.code === 410
    ? { kind: 'expired' }
    : { kind: 'failed', failure };
}

/** Whether only a full read can tell what is the matter: gone, forbidden, a version it does not know. */
function mustReadAgain(failure: ApiFailure): boolean {
  return failure.kind === 'refused' && failure.code >= 400 && failure.code < 500 && failure.code !== 429;
}
