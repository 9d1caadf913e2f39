import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')

const sources = ['shared/src', 'pod', 'cluster', 'stoat'].flatMap((place) =>
  readdirSync(join(root, place), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|sh)$/.test(file) && !file.includes('node_modules'))
    .map((file) => join(place, file)),
)
const holding = (wrong: RegExp) => sources.filter((file) => wrong.test(readFileSync(join(root, file), 'utf8')))

test('the sources are found', () => {
  expect(sources.length).toBeGreaterThan(200)
})

test('no shell loop means to fail by what comes before `break`: a loop that breaks has succeeded', () => {
  expect(holding(/\bfalse;\s*break\b/)).toEqual([])
})

// Over ssh Debian's bash reads .bashrc for `-c` and `-s` as well (SSH_SOURCE_BASHRC), and what that prints is an answer.
test('no bash of ours reads a startup file', () => {
  expect(holding(/(?<!sudo -u \$\{user\} )\bbash -[cs]\b/)).toEqual([])
})
