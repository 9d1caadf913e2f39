import type { Reporter, TestModule } from 'vitest/node'

/** Ends every run with one plain line that a machine can read: `N passed, N failed, N skipped`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      // A file that cannot even be loaded has no tests to count.
      if (module.state() === 'failed' && module.errors().length > 0) count.failed += 1
      // Nor counts a suite whose tests were left out because it could not be prepared.
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) count.failed += 1
      for (const test of module.children.allTests()) count[test.result().state] += 1
    }
    // After vitest's own summary, so that it is the last line.
    setImmediate(() =>
      console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`),
    )
  }
}
