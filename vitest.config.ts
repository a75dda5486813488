import { defineConfig } from 'vitest/config';
import { SummaryLine } from './test/tools/summaryLine.ts';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'cmd/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 120_000,
    // One more than the two cores of a small machine: most tests wait for a process, a lease or a watch.
    maxWorkers: 3,
    reporters: ['default', new SummaryLine()],
  },
});
