/**
 * Places for attempts to one receiver, and who may have how many: many tenants of one gateway share its connections, and
 * those that hang must not keep the others waiting.
 *
 * A stream that works gets its first place as long as one is left. The last quarter is not for streams whose last attempt
 * failed, nor the last eighth for those nothing is known of, unless they have less than an eighth among them: they must
 * get their turn too. Further places leave room for others: a quarter stays free when a stream works, a half while
 * nothing is known of it, and one that failed has one place at a time.
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

/** Streams beyond it that hold nothing are forgotten, and unknown again. */
const maxRemembered = 4_096;

export class Slots {
  readonly #count: number;
  #free: number;
  #closed = false;
  readonly #waiting = new Set<Waiting>();
  readonly #streams = new Map<string, StreamState>();
  /** Places that streams of each standing hold. */
  readonly #heldBy: Record<Standing, number> = { unknown: 0, works: 0, failed: 0 };

  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** Whether the stream's last attempt here failed. */
  hasFailed(stream: string): boolean {
    return this.#streams.get(stream)?.standing === 'failed';
  }

  /** True once a place is ours: give it back with `release`. False when `signal` or `close` ended the wait. */
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

  /** Hands the place to whoever has waited longest of those who may have it. `worked` null: nothing was learned. */
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

  /** Hands out no more: ends every wait with false. Places that are taken stay taken. */
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
