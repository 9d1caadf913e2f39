import { tmpdir } from 'node:os'
import { defineConfig } from 'vitest/config'

const { argv, env } = process

/** Only where there is a deployment to try: asked for by name, or by the variables that say where it is. */
const integration =
  argv.includes('integration') || Boolean(env.VKB_DB_HOST || (env.VALENCE_POD_IP && env.VALENCE_DOMAIN))

const noOrphan = 'tests/support/orphan.ts'

/**
 * `npx vitest run --project unit` starts nothing and takes seconds; `--project process` starts shells and the command
 * line; `--project lab` boots real hosts and servers. One file alone: `npx vitest run PATH`.
 */
export default defineConfig({
  test: {
    globalSetup: ['tests/support/temporary-files.ts'],
    reporters: ['default', './tests/support/summary-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts'],
          exclude: ['**/*.process.test.ts'],
          maxWorkers: '100%',
          // A module is loaded once a worker, not once a file: a quarter of the processor time. The product keeps nothing
          // between two tests but the registry of secrets, and these tests change no global. Any order of files must do:
          // --sequence.shuffle.files.
          isolate: false,
          setupFiles: [noOrphan, 'tests/support/no-processes.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Tests of one file that start shells, programs or the command line itself.
        test: {
          name: 'process',
          include: ['tests/unit/**/*.process.test.ts', 'tests/plans/**/*.test.ts'],
          setupFiles: [noOrphan],
          maxWorkers: '100%',
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['tests/lab/**/*.test.ts', 'tests/contract/**/*.test.ts'],
          setupFiles: [noOrphan, 'tests/lab/cli-node.ts'],
          // Not the folder of temporary-files.ts: programs here work in roots of their own, which do not have it.
          env: { TMPDIR: tmpdir() },
          // The suites wait most of the time: on two cores two at once take 8 to 9 % longer than each alone.
          maxWorkers: 3,
          // Vitest runs projects of unlike worker counts one after another only: the quick ones first.
          sequence: { groupOrder: 1 },
          // The first time, what a suite starts with is built from source. A bound for what hangs: tests have no other.
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
      ...(integration
        ? [
            {
              test: {
                name: 'integration',
                include: ['tests/integration/**/*.test.ts'],
                testTimeout: 60_000,
              },
            },
          ]
        : []),
    ],
  },
})
