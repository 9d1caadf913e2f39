import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const files = readdirSync(join(root, 'tests'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
  .map((path) => `tests/${path}`)
  .sort()

/**
 * The waits of a line that last a fixed time, so that the test is lost when the machine is busier than that: a timer
 * that a promise waits for, and `sleep` in a shell. Poll with `until` (support/wait.ts) or `vi.waitUntil`, let the shell
 * wait in a loop for a file that the test makes, or put a clock forward. A sleep of a minute or more stands for work
 * that is cut off: nobody waits for its end.
 */
function fixedWaits(line: string): string[] {
  if (/^\s*(\/\/|\*|\/\*\*)|\b(until|while|for)\b.*\bdo\b.*\bsleep \d/.test(line)) return []
  const timers =
    line.match(/\bsetTimeout\((resolve|done)\b|\bawait (setTimeout|sleep|delay)\(|(?<![.\w])sleep\(\d/g) ?? []
  const sleeps = [...line.matchAll(/(?<!pg_)\bsleep (\d+(?:\.\d+)?)(?![\dd])/g)].filter(([, time]) => Number(time) < 60)
  return [...timers, ...sleeps.map(([text]) => text)]
}

const newer = 'a file must be newer than what runs by it, in the grain of that clock'

/** By file: the waits that may stand there, and why no condition can take their place. */
const allowed: Readonly<Record<string, readonly [waits: readonly string[], why: string]>> = {
  'tests/contract/access.ts': [['sleep 1', 'sleep 1'], newer],
  'tests/contract/database.ts': [['sleep 1', 'sleep 1', 'sleep 1'], newer],
  'tests/contract/services.ts': [['sleep 0.5'], newer],
  'tests/contract/system.ts': [['sleep 0.1'], newer],
  'tests/contract/vkb.ts': [['sleep 1'], newer],
  'tests/contract/web.ts': [
    ['sleep 0.5', 'sleep 0.5', 'sleep 0.1'],
    `${newer}; old workers of nginx say nothing when they are gone`,
  ],
  'tests/lab/cluster-crash.test.ts': [['await setTimeout('], 'kills at three moments after the beginning of a change'],
  'tests/lab/pod-backup.test.ts': [['sleep 1', 'sleep 1'], 'backups are named by the second'],
  'tests/lab/pod-restore.test.ts': [['sleep 3'], 'a program that takes its time, so that it can be cut off'],
  'tests/lab/pod-synapse.test.ts': [['sleep 0.1'], newer],
  'tests/lab/restore-files.test.ts': [['sleep 0.2'], 'an attack that has begun or not: both must hold'],
  'tests/lab/served.ts': [['await setTimeout('], 'the interval of a sample'],
  'tests/lab/ssh-shells.test.ts': [['sleep 0.1', 'sleep 0.1', 'sleep 1'], 'commands during which another one prints'],
  'tests/lab/stoat/client.ts': [['await setTimeout('], 'as long as the server tells it to wait'],
  'tests/support/wait.ts': [['await setTimeout('], 'the poll itself'],
  'tests/unit/pod/verify.test.ts': [['setTimeout(resolve'], 'a clock that the test drives'],
  'tests/unit/steps/aws/image.process.test.ts': [['sleep 0.1'], 'a shell that kills itself goes no further'],
  'tests/unit/targets/process.process.test.ts': [['sleep 0.05'], 'two halves of a character shall come apart'],
}

test.each([
  ['await new Promise((resolve) => setTimeout(resolve, 300))', 1],
  ['await setTimeout(300)', 1],
  ['await sleep(125_000)', 1],
  ['await onHost(`systemctl start unit; sleep 1`)', 1],
  ['kill -9 1; sleep 0.5; sleep 2', 2],
  ['until [ -e go ]; do sleep 0.1; done; touch made', 0],
  ["start(['sh', '-c', 'echo begun; exec sleep 600'])", 0],
  ['const stuck = setTimeout(() => child.kill(), 60_000)', 0],
])('%s: %i fixed waits', (line, count) => {
  expect(fixedWaits(line)).toHaveLength(count)
})

test('no test waits for a fixed time', () => {
  expect(files.length).toBeGreaterThan(100)
  const found = Object.fromEntries(
    files.flatMap((path) => {
      if (path.endsWith('project/waits.test.ts')) return []
      const waits = readFileSync(join(root, path), 'utf8').split('\n').flatMap(fixedWaits)
      return waits.length > 0 ? [[path, waits]] : []
    }),
  )
  expect(found).toEqual(Object.fromEntries(Object.entries(allowed).map(([path, [waits]]) => [path, waits])))
})
