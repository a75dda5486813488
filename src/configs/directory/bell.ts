/** Wakes one waiter: rung once or many times since the last wait, it is one wake-up, and none is lost. */

export interface Bell {
  ring(): void;
  /** Resolves when the bell has been rung, at once if that was before; or after `timeoutMs`; or when `signal` aborts. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<'rung' | 'timeout' | 'aborted'>;
}

export function makeBell(): Bell {
  let isRung = false;
  let wake: (() => void) | null = null;
  return {
    ring() {
      isRung = true;
      wake?.();
    },
    wait(timeoutMs, signal) {
      const { promise, resolve } = Promise.withResolvers<'rung' | 'timeout' | 'aborted'>();
      const finish = (how: 'rung' | 'timeout' | 'aborted') => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        wake = null;
        if (how === 'rung') isRung = false;
        resolve(how);
      };
      const onAbort = () => finish('aborted');
      const timer = setTimeout(() => finish('timeout'), timeoutMs);
      signal.addEventListener('abort', onAbort, { once: true });
      wake = () => finish('rung');
      if (signal.aborted) finish('aborted');
      else if (isRung) finish('rung');
      return promise;
    },
  };
}
