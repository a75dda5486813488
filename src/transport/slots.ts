/**
 * Slots for attempts to one receiver, and how many each stream may have: many tenants of one gateway share its connections, and
 * tenants that hang must not keep the others waiting.
 *
 * A stream whose last attempt worked gets its first slot as long as one is left. The last quarter is not for streams whose last attempt
 * failed, nor the last eighth for streams that are still unknown, unless they hold less than an eighth together: they must
 * get their turn too. Further slots leave room for others: a quarter stays free if the stream's attempts work, a half while
 * the stream is unknown; a stream that failed has one slot at a time.
 *
 * Waiting here does not count against an attempt's deadline: with many streams to one receiver, a wait for our own
 * connections would otherwise look like a slow receiver.
 */
type Standing = 'unknown' | 'works' | 'failed';

interface StreamState {
  held: number;
  standing: Standing;
}

interface Waiting {
  readonly stream: string;
  readonly settle: (got: boolean) => void;
}

/** Streams beyond this number that hold no slot are forgotten, and unknown again. */
const maxRemembered = 4_096;

export class Slots {
  readonly #count: number;
  #free: number;
  #closed = false;
  readonly #waiting = new Set<Waiting>();
  readonly #streams = new Map<string, StreamState>();
  /** Slots held by the streams of each standing. */
  readonly #heldBy: Record<Standing, number> = { unknown: 0, works: 0, failed: 0 };

  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** Whether the stream's last attempt here failed. */
  hasFailed(stream: string): boolean {
    return this.#streams.get(stream)?.standing === 'failed';
  }

  /** True once a slot is taken: give it back with `release`. False if `signal` or `close` ended the wait. */
  take(stream: string, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.#closed) return Promise.resolve(false);
    if (this.#mayTake(stream)) {
      this.#hand(stream);
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const waiting: Waiting = {
        stream,
        settle: (got) => {
          this.#waiting.delete(waiting);
          signal.removeEventListener('abort', giveUp);
          resolve(got);
        },
      };
      const giveUp = () => waiting.settle(false);
      this.#waiting.add(waiting);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Hands the slot to the attempt that has waited longest and may have it. `worked` null: nothing was learned. */
  release(stream: string, worked: boolean | null): void {
    this.#free += 1;
    const state = this.#stateOf(stream);
    this.#hold(state, -1);
    if (worked !== null) this.#setStanding(state, worked ? 'works' : 'failed');
    this.#forgetBeyond();
    for (const waiting of this.#waiting) {
      if (this.#free === 0) return;
      if (!this.#mayTake(waiting.stream)) continue;
      this.#hand(waiting.stream);
      waiting.settle(true);
    }
  }

  /** Hands out no more slots: ends every wait with false. Slots in use stay in use. */
  close(): void {
    this.#closed = true;
    for (const { settle } of [...this.#waiting]) settle(false);
  }

  #mayTake(stream: string): boolean {
    if (this.#free === 0) return false;
    const { held, standing } = this.#streams.get(stream) ?? { held: 0, standing: 'unknown' };
    const share = this.#free / this.#count;
    switch (standing) {
      case 'works':
        return held === 0 || share >= 1 / 4;
      case 'unknown':
        return held === 0 ? share > 1 / 8 || this.#isShort(standing) : share >= 1 / 2;
      case 'failed':
        return held === 0 && (share > 1 / 4 || this.#isShort(standing));
    }
  }

  #isShort(standing: Standing): boolean {
    return this.#heldBy[standing] < Math.max(1, this.#count / 8);
  }

  #hold(state: StreamState, change: 1 | -1): void {
    state.held += change;
    this.#heldBy[state.standing] += change;
  }

  #setStanding(state: StreamState, standing: Standing): void {
    this.#heldBy[state.standing] -= state.held;
    state.standing = standing;
    this.#heldBy[standing] += state.held;
  }

  #hand(stream: string): void {
    this.#free -= 1;
    this.#hold(this.#stateOf(stream), 1);
  }

  #stateOf(stream: string): StreamState {
    let state = this.#streams.get(stream);
    if (!state) {
      state = { held: 0, standing: 'unknown' };
      this.#streams.set(stream, state);
    }
    return state;
  }

  #forgetBeyond(): void {
    if (this.#streams.size <= maxRemembered) return;
    for (const [stream, { held }] of this.#streams) {
      if (held === 0) this.#streams.delete(stream);
      if (this.#streams.size <= maxRemembered) return;
    }
  }
}
