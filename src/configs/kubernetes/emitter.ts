/** Hands the states on: at once the first time, then a burst of changes as one. */
import type { Logger } from '../../telemetry/logger.ts';
import { type ConfigStates, isSameStates } from '../configStates.ts';

/** A burst of changes is handed on this long after it began. */
const collectMs = 50;
const retryMs = 1_000;

export class Emitter {
  readonly #log: Logger;
  readonly #listStates: () => ConfigStates;
  #onChange: ((configs: ConfigStates) => void) | null = null;
  #emitted: ConfigStates | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(log: Logger, listStates: () => ConfigStates) {
    this.#log = log;
    this.#listStates = listStates;
  }

  get hasEmitted(): boolean {
    return this.#emitted !== null;
  }

  start(onChange: (configs: ConfigStates) => void): void {
    this.#onChange = onChange;
  }

  /** Something may have changed. */
  ring(): void {
    this.#schedule(this.hasEmitted ? collectMs : 0);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(ms: number): void {
    if (this.#isStopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#emit();
    }, ms);
  }

  #emit(): void {
    const states = this.#listStates();
    if (this.#emitted !== null && isSameStates(this.#emitted, states)) return;
    try {
      this.#onChange?.(states);
      this.#emitted = states;
    } catch (error) {
      this.#log.error({ err: error }, 'changed export configurations could not be applied; trying again');
      this.#schedule(retryMs);
    }
  }
}
