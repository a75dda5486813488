/** How long work takes, in a way that other work on the same machine hardly changes. */

/** What `work` takes of the processor in this thread, in milliseconds. */
export function processorMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  return milliseconds(before);
}

/** What the longest turn of the event loop took of the processor while `work` ran, in milliseconds. */
export async function longestTurn<T>(work: Promise<T>): Promise<{ result: T; longestMs: number }> {
  let longestMs = 0;
  let last = process.threadCpuUsage();
  let isDone = false;
  const watch = (async () => {
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      longestMs = Math.max(longestMs, milliseconds(last));
      last = process.threadCpuUsage();
    }
  })();
  const result = await work;
  isDone = true;
  await watch;
  return { result, longestMs };
}

/** The shortest of a few tries by the clock, in milliseconds: for what waits for others, or must not. */
export async function quickestMs(work: () => Promise<unknown>, tries = 5): Promise<number> {
  let quickest = Number.POSITIVE_INFINITY;
  for (let at = 0; at < tries; at++) {
    const startedAt = performance.now();
    await work();
    quickest = Math.min(quickest, performance.now() - startedAt);
  }
  return quickest;
}

function milliseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since);
  return (user + system) / 1_000;
}
