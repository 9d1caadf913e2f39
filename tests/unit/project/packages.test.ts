import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const json = (file: string) => JSON.parse(readFileSync(join(import.meta.dirname, '../../..', file), 'utf8'))
const project = json('package.json')
const oldest: string = project.engines.node.replace('>=', '')

/** Whether a range as packages write it lets a version in; `a.b` of a version is enough for what ranges say. */
function allows(range: string, version: string): boolean {
  const number = (text: string) => text.split('.').reduce((sum, part, place) => sum + Number(part) / 1000 ** place, 0)
  return range.split('||').some((part) =>
    [...part.matchAll(/([<>=^~]*)\s*v?(\d+(?:\.\d+)*)|\*/g)].every(([any, sign, from = '0']) => {
      if (any === '*') return true
      if (sign === '>=') return number(version) >= number(from)
      if (sign === '<') return number(version) < number(from)
      return version.split('.')[0] === from.split('.')[0] && number(version) >= number(from)
    }),
  )
}

test('ranges are read as they are meant', () => {
  expect(
    ['>=20', '^20.19.0 || >=22.12.0', '>= 18.12.0 <23', '*', '20 || >=22'].map((it) => allows(it, '20.19')),
  ).toEqual(Array(5).fill(true))
  expect(['>=22.0.0', '^20.20 || >=22', '^18 || ^22', '>=12 <20'].map((it) => allows(it, '20.19'))).toEqual(
    Array(4).fill(false),
  )
})

test('every package runs on the oldest Node that is supported', () => {
  const packages = Object.entries<{ engines?: { node?: string } }>(json('package-lock.json').packages)
  expect(packages.length).toBeGreaterThan(100)
  const newer = packages.filter(([, { engines }]) => engines?.node && !allows(engines.node, oldest))
  expect(newer.map(([name, { engines }]) => `${name} ${engines?.node}`)).toEqual([])
})

test('types are those of the oldest major that is supported', () => {
  expect(project.devDependencies['@types/node'].split('.')[0]).toBe(oldest.split('.')[0])
})

test('each override says why', () => {
  expect(Object.keys(project['//overrides'])).toEqual(Object.keys(project.overrides))
})

test('the workflows run actions by commit, and name the release of each', () => {
  const folder = join(import.meta.dirname, '../../../.github/workflows')
  const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
  const uses = lines.filter((line) => line.includes('uses:'))
  expect(uses.length).toBeGreaterThan(2)
  expect(uses.filter((line) => !/uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([])
})

test('each package that runs a script when it is installed is judged, or npm asks at the first command', () => {
  const all: [string, { hasInstallScript?: true; optional?: true }][] = Object.entries(
    json('package-lock.json').packages,
  )
  const running = all.filter(([, { hasInstallScript, optional }]) => hasInstallScript && !optional)
  expect(running.map(([path]) => path.split('node_modules/').at(-1))).toEqual(Object.keys(project.allowScripts))
})
