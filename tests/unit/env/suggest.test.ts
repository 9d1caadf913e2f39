import { distance, nearest } from '@infra/shared/env/suggest'
import { expect, test } from 'vitest'

test.each<[a: string, b: string, edits: number]>([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['abc', 'abd', 1],
  ['abc', 'ac', 1],
  ['abc', 'xabc', 1],
  ['abc', 'acb', 1],
  ['kitten', 'sitting', 3],
  ['', 'abc', 3],
])('%s to %s: %i', (a, b, edits) => {
  expect(distance(a, b)).toBe(edits)
  expect(distance(b, a)).toBe(edits)
})

test.each<[word: string, meant: string | undefined]>([
  ['--cehck', '--check'],
  ['--chek', '--check'],
  ['--check', undefined],
  ['--zzz', undefined],
  ['--diff', '--no-diff'],
])('%s means %s', (word, meant) => {
  expect(nearest(word, ['--check', '--no-diff', '--tags'], 3)).toBe(meant)
})
