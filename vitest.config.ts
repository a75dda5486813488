import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/tools/longestFirst.ts';
import { SummaryLine } from './test/tools/summaryLine.ts';

/** It measures how long entries take: what others do with the same cores meanwhile would be in its figures. */
const measuring = 'test/hostile/**';

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'measuring', include: [`${measuring}/*.test.ts`], sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'all others',
          include: ['src/**/*.test.ts', 'cmd/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['node_modules/**', measuring],
          sequence: { groupOrder: 1 },
        },
      },
    ],
    globalSetup: 'test/tools/runFolder.ts',
    // Deadlines are for what hangs: a busy machine may take several times as long as a quiet one.
    testTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 120_000,
    // A collector that a test starts spends half as long on reading its program (0.36 s of CPU instead of 0.66 s).
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
    // Files share a process and what it has imported; each undoes what it changed.
    isolate: false,
    // One more than the two cores of a small machine, since many tests wait for a process, a lease, a watch or a pod: four
    // take as long, and keep the kubelet's probes and everybody's deadlines waiting.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', new SummaryLine()],
  },
});
