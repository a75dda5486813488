/** Times of one question asked repeatedly. */
import { type Figure, percentile } from './figure.ts';

/** Asks once without measuring, then `runs` times. */
export async function measure(
  figure: string,
  goal: string,
  runs: number,
  ask: (run: number) => Promise<unknown>,
): Promise<Figure> {
  const times: number[] = [];
  await ask(0);
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now();
    await ask(run);
    times.push(performance.now() - startedAt);
  }
  return {
    figure: `${figure}, p95`,
    ratio: percentile(
      times.toSorted((a, b) => a - b),
      0.95,
    ),
    goal: goal.replace(' p95', ''),
    detail: `${spreadOf(times)}; ${runs} runs`,
  };
}

export function spreadOf(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const [p50, p95, most] = [0.5, 0.95, 1].map((share) => percentile(sorted, share).toFixed(1));
  return `p50 ${p50}, p95 ${p95}, longest ${most} ms`;
}
