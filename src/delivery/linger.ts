/** How long streams gather entries between two small windows, so that a trickle is not sent entry by entry. */
import { pause } from '../basics/wait.ts';

/** Most of a lone entry's latency in a steady trickle. */
const leastMs = 40;
/** A thousand streams that wait at the same time wait for a second: together they make a thousand windows in it, and no more. */
const msPerStream = 1;

export class Linger {
  #waiting = 0;

  /** Waits, the longer the more others do; or until `signal` aborts. Never rejects. */
  async wait(signal: AbortSignal): Promise<void> {
    this.#waiting++;
    await pause(Math.max(leastMs, msPerStream * this.#waiting), signal);
    this.#waiting--;
  }
}
