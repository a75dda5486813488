/** The last 24 hours of a destination, as its card shows them: a bar for each hour, and one line that says what they came to. */
import type { DayView } from '../views/barsViews.ts';
import { type CountedHour, describeSums, makeBars, sumHours } from './attemptBars.ts';

const hourMs = 3_600_000;
const shownHours = 24;

/** `hours`: those of the last 24 that there are, in any order. The running hour is the last bar. */
export function makeDay(hours: readonly CountedHour[], now: number): DayView {
  const last = now - (now % hourMs);
  const spans = Array.from({ length: shownHours }, (_, n) => {
    const at = last - (shownHours - 1 - n) * hourMs;
    return {
      label: new Date(at).toISOString(),
      ...sumHours(hours.filter(({ hour }) => Date.parse(hour) === at)),
    };
  });
  return { ...makeBars(spans), words: `Last 24 hours: ${describeSums(sumHours(hours))}` };
}
