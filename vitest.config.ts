import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/tools/longestFirst.ts';
import { SummaryLine } from './test/tools/summaryLine.ts';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'cmd/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: 'test/tools/runFolder.ts',
    // Deadlines are for what hangs: a busy machine may take several times as long as a quiet one.
    testTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 120_000,
    // A collector that a test starts spends half as long on reading its program (0.36 s of CPU instead of 0.66 s).
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
    // Files share a process and what it has imported; each undoes what it changed.
    isolate: false,
    // Two more than the two cores of a small machine: most tests wait for a process, a lease, a watch or a pod.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', new SummaryLine()],
  },
});
