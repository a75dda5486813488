import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Ends a test run with one plain line, such as `12 passed, 0 failed, 3 skipped`. A file that could not be loaded and
 * an error outside any test count as failed; a run in which no test ran fails.
 */
export class SummaryLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1;
      const suites = [module, ...module.children.allSuites()];
      count.failed += suites.filter((suite) => suite.errors().length > 0).length;
    }
    const { passed, failed, skipped, pending } = count;
    if (passed + failed === 0) process.exitCode = 1;
    process.stdout.write(`${passed} passed, ${failed} failed, ${skipped + pending} skipped\n`);
  }
}
