/** Hands the states on: at once the first time, then a burst of changes as one. */
import type { Logger } from '../../telemetry/logger.ts';
import type { ConfigState } from '../configSource.ts';

export interface Emitter {
  readonly hasEmitted: boolean;
  start(
    listStates: () => ReadonlyMap<string, ConfigState>,
    onChange: (configs: ReadonlyMap<string, ConfigState>) => void,
  ): void;
  /** Something may be different. */
  ring(): void;
  stop(): void;
}

/** A burst of changes is taken over this long after it began. */
const collectMs = 50;
const retryMs = 1_000;

export function makeEmitter(options: { readonly log: Logger; readonly onFirst: () => void }): Emitter {
  const { log, onFirst } = options;
  let emit: () => void = () => {};
  let emitted: ReadonlyMap<string, ConfigState> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;

  function schedule(ms: number): void {
    if (isStopped) return;
    timer ??= setTimeout(() => {
      timer = null;
      emit();
    }, ms);
  }

  return {
    get hasEmitted() {
      return emitted !== null;
    },
    start(listStates, onChange) {
      emit = () => {
        const states = listStates();
        if (emitted !== null && isSame(emitted, states)) return;
        try {
          onChange(states);
          const isFirst = emitted === null;
          emitted = states;
          if (isFirst) onFirst();
        } catch (error) {
          log.error({ err: error }, 'changed export configurations could not be taken over; tried again');
          schedule(retryMs);
        }
      };
    },
    ring: () => schedule(emitted === null ? 0 : collectMs),
    stop() {
      isStopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function isSame(a: ReadonlyMap<string, ConfigState>, b: ReadonlyMap<string, ConfigState>): boolean {
  return a.size === b.size && [...b].every(([key, state]) => a.get(key) === state);
}
