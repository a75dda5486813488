/** Lines that show that a long run goes on: none for a short one, then one every few seconds. */

const everyMs = 3_000;

/** @returns to be called often; makes the line only when one is due. */
export function makeProgress(say: (line: string) => void): (describe: () => string) => void {
  let saidAt = performance.now();
  return (describe) => {
    if (performance.now() - saidAt < everyMs) return;
    saidAt = performance.now();
    say(describe());
  };
}
