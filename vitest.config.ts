import { defineConfig } from 'vitest/config';
import { SummaryLine } from './test/tools/summaryLine.ts';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'cmd/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['default', new SummaryLine()],
  },
});
