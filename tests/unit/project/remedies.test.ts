import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scriptsOf } from './pages.ts'
import { remediesOfClouds, untriedOfClouds } from './remedies-clouds.ts'
import { remediesOfPods, untriedOfPods } from './remedies-pod.ts'
import { type Remedy, refusals, refusalsIn, root } from './remedy.ts'

const remedies = { ...remediesOfPods, ...remediesOfClouds }

test.each([
  ['if (masked) return refuse("it is masked", "unmask it")', 1],
  ['export function refuse(reason: string): Decision {', 0],
  ['const refuse = (reason: string) => {', 0],
  ['/** Decides, or calls refuse(…). */', 0],
  ['plan: () => (isFull(now) ? refuse(says(now), "x") : refuse("a (b)", "c")),', 2],
  ['refuseTable(name)', 0],
])('%s: %i refusals', (text, count) => {
  expect(refusalsIn(text)).toHaveLength(count)
})

test('an entry stands for each refusal, and for one only', () => {
  expect(refusals.size).toBeGreaterThan(50)
  const wrong = [...refusals].flatMap(([file, calls]) => {
    const said = remedies[file] ?? []
    const missing = calls.filter((call) => said.filter(({ says }) => call.includes(says)).length !== 1)
    const stale = said.filter(({ says }) => calls.filter((call) => call.includes(says)).length !== 1)
    return [
      ...missing.map((call) => `${file}: not one entry for ${call}`),
      ...stale.map(({ says }) => `${file}: not one refusal says ${says}`),
    ]
  })
  expect(wrong).toEqual([])
  expect(Object.keys(remedies).filter((file) => !refusals.has(file))).toEqual([])
  expect(Object.keys(remediesOfPods).filter((file) => file in remediesOfClouds)).toEqual([])
})

test('the test that follows a remedy is there', () => {
  const lost = Object.values(remedies)
    .flat()
    .flatMap((entry: Remedy) => {
      if (!('test' in entry)) return []
      const path = join(root, entry.test)
      const isThere = entry.test.startsWith('tests/') && existsSync(path) && entry.has.length > 10
      return isThere && readFileSync(path, 'utf8').includes(entry.has) ? [] : [entry]
    })
  expect(lost).toEqual([])
})

test('a remedy that no test can follow says why', () => {
  const reasons = Object.values(remedies)
    .flat()
    .flatMap((entry) => ('why' in entry ? [entry.why] : []))
  expect(reasons.filter((why) => why.split(' ').length < 5)).toEqual([])
})

test('no more remedies are untried than were before', () => {
  const count = (table: typeof remedies) =>
    Object.values(table)
      .flat()
      .filter((entry) => 'untried' in entry).length
  expect([count(remediesOfPods), count(remediesOfClouds)]).toEqual([untriedOfPods, untriedOfClouds])
})

const calls = [...refusals].flatMap(([file, list]) => list.map((call) => [file, call] as const))

test('each variable that a refusal names is one of those that can be set', () => {
  const known = readFileSync(join(root, 'docs/variables.md'), 'utf8')
  const named = calls.flatMap(([file, call]) =>
    (call.match(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/g) ?? []).map((name) => [file, name]),
  )
  expect(named.length).toBeGreaterThan(30)
  expect(named.filter(([, name]) => !known.includes(`\`${name}\``))).toEqual([])
})

test('each command of the project that a refusal names is there', () => {
  const named = calls.flatMap(([file, call]) =>
    [...call.matchAll(/npm run ([a-z-]+) -w (pod|cluster|stoat)\b/g)].map(([line, script = '', workspace = '']) => {
      return { file, line, isThere: Object.hasOwn(scriptsOf(workspace), script) }
    }),
  )
  expect(named.length).toBeGreaterThan(15)
  expect(named.filter(({ isThere }) => !isThere)).toEqual([])
})
