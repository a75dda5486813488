/** Plans how much memory the entries under way may take, by what the process has. */
import { totalmem } from 'node:os';

export interface MemoryPlan {
  /** For pages and requests of all streams together; see byteBudget.ts. */
  readonly budgetBytes: number;
  /** Kept for the next batches while none needs it; see bufferPool.ts. */
  readonly keptBytes: number;
}

const mebibyte = 1024 * 1024;
/** The program, its libraries and V8's heap at work: measured 130 MiB, and what gzip and sockets take besides. */
const programBytes = 160 * mebibyte;
/** Sixteen full pages: more was not faster. */
const mostBudgetBytes = 64 * mebibyte;
const leastBudgetBytes = 8 * mebibyte;

/**
 * The plan of a process that may have `limitBytes`. An entry under way takes up to three times the bytes that are counted: as it
 * arrives, put together, encoded; and as much again may wait for the garbage collector.
 */
export function planMemory(limitBytes = memoryLimit()): MemoryPlan {
  const budgetBytes = Math.max(leastBudgetBytes, Math.min(mostBudgetBytes, (limitBytes - programBytes) / 4));
  return { budgetBytes: Math.floor(budgetBytes), keptBytes: Math.floor(budgetBytes * (3 / 8)) };
}

/** The container's limit (cgroup 1 and 2), or the machine's memory. */
function memoryLimit(): number {
  // There is no limit where it is 0 or a number beyond any memory.
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
