import { defineConfig } from 'vitest/config'

/** `npx vitest run --project unit` needs nothing but node and sh; `--project lab` boots real hosts and servers. */
export default defineConfig({
  test: {
    reporters: ['default', './tests/support/summary-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts', 'tests/plans/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['tests/lab/**/*.test.ts', 'tests/contract/**/*.test.ts'],
          // The suites share the machine with the hosts that they boot.
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
})
