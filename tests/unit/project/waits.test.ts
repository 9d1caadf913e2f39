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
 * that a promise waits for, and `sleep` in a shell. Poll with `until`, let a shell poll with `awaits` or `awaitsThat`
 * (support/wait.ts), or put a clock forward. A sleep of a minute or more stands for work that is cut
 * off: nobody waits for its end.
 */
function fixedWaits(line: string): string[] {
  if (/^\s*(\/\/|\*|\/\*\*)/.test(line)) return []
  const timers =
    line.match(/\bsetTimeout\((resolve|done)\b|\bawait (setTimeout|sleep|delay)\(|(?<![.\w])sleep\(\d/g) ?? []
  const sleeps = line.match(/(?<!pg_)\bsleep (\d+(?:\.\d+)?(?![\dd])|"?\$)/g) ?? []
  return [...timers, ...sleeps.filter((text) => !(Number(text.slice(6)) >= 60))]
}

/** By file: the waits that may stand there, and why no condition can take their place. */
const allowed: Readonly<Record<string, readonly [waits: readonly string[], why: string]>> = {
  'tests/contract/services.ts': [['sleep "$'], 'a service that is slow to start'],
  'tests/lab/kills.ts': [['await setTimeout('], 'kills at three moments after the beginning of a change'],
  'tests/lab/unkind.ts': [['sleep "$'], 'a login that takes longer than ssh waits for a sign of life'],
  'tests/lab/stoat/client.ts': [['await setTimeout('], 'as long as the server tells it to wait'],
  'tests/support/wait.ts': [['await setTimeout(', 'sleep 0.1'], 'the polls themselves'],
}

test.each([
  ['await new Promise((resolve) => setTimeout(resolve, 300))', 1],
  ['await setTimeout(300)', 1],
  ['await sleep(125_000)', 1],
  ['await onHost(`systemctl start unit; sleep 1`)', 1],
  ['kill -9 1; sleep 0.5; sleep 2', 2],
  ['until [ -e go ]; do sleep 0.1; done; touch made', 1],
  ['sleep "$pause"; touch made', 1],
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

/** Limits of time of its own that a line gives a test: those of vitest.config.ts are generous, and the same for all. */
const ownLimit =
  /\b(test|hook)Timeout\b|\bvi\.wait(Until|For)\(|\bexpect\.poll\(|^\s*\}, (\d[\d_]+|\d+ \* \w+)\)$|\b(test|it|describe)\b.*, \{ timeout:/

test.each([
  ['  }, 30_000)', true],
  ["test('is quick', { timeout: 1000 }, () => {", true],
  ['vi.setConfig({ testTimeout: 60_000 })', true],
  ['await vi.waitUntil(() => over)', true],
  ['const socket = connect({ host, port, timeout: 1000 })', false],
  ["await until('the server', 10_000, answers)", false],
])('%s: a limit of its own: %o', (line, has) => {
  expect(ownLimit.test(line)).toBe(has)
})

test('no test has a limit of time of its own, which a busy machine would exceed', () => {
  const found = files
    .filter((path) => !path.endsWith('project/waits.test.ts'))
    .flatMap((path) => {
      const lines = readFileSync(join(root, path), 'utf8').split('\n')
      return lines.filter((line) => ownLimit.test(line)).map((line) => `${path}: ${line.trim()}`)
    })
  expect(found).toEqual([])
})
