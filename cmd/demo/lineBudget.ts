/**
 * Keeps a flood of records readable: a number of lines per second, and one summary per second for the rest.
 */
export interface LineBudget {
  /** @param format called only when there is room for the line. */
  print(organization: string, format: () => string): void;
  /** Prints the pending summary, and ends the timer. */
  flush(): void;
}

export interface LineBudgetOptions {
  /** Receives whole lines, including the line break. */
  readonly write: (line: string) => void;
  readonly linesPerSecond: number;
}

const summaryIntervalMs = 1_000;
const organizationsNamed = 4;

export function makeLineBudget({ write, linesPerSecond }: LineBudgetOptions): LineBudget {
  let printed = 0;
  let periodStartedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const skipped = new Map<string, number>();

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (skipped.size === 0) return;
    write(`${describe(skipped)}\n`);
    skipped.clear();
  }

  return {
    flush,
    print(organization, format) {
      const now = performance.now();
      // Not while a summary is pending: its records came before this one.
      if (timer === undefined && now - periodStartedAt >= summaryIntervalMs) {
        periodStartedAt = now;
        printed = 0;
      }
      if (timer === undefined && printed < linesPerSecond) {
        printed += 1;
        write(`${format()}\n`);
        return;
      }
      skipped.set(organization, (skipped.get(organization) ?? 0) + 1);
      timer ??= setTimeout(flush, summaryIntervalMs);
    },
  };
}

function describe(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const named = sorted.slice(0, organizationsNamed).map(([name, count]) => `${name} ${number(count)}`);
  const others = sorted.length - named.length;
  if (others > 0) named.push(`${others} others`);
  return `… and ${number(total)} more within a second (${named.join(', ')})`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
