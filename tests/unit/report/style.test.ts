import { canAnimate, colorPaint, duration, paintFor, plainPaint } from '@infra/shared/report/style'
import { describe, expect, test } from 'vitest'
import { steady } from '../../support/steady.ts'

const terminal = { isTTY: true }
const pipe = {}

describe('colour', () => {
  const table: [string, object, Record<string, string>, boolean][] = [
    ['on a terminal', terminal, {}, true],
    ['in a pipe', pipe, {}, false],
    ['on a dumb terminal', terminal, { TERM: 'dumb' }, false],
    ['with NO_COLOR', terminal, { NO_COLOR: '1' }, false],
    ['with an empty NO_COLOR', terminal, { NO_COLOR: '' }, true],
    ['with FORCE_COLOR in a pipe', pipe, { FORCE_COLOR: '1' }, true],
    ['with FORCE_COLOR on a dumb terminal', terminal, { FORCE_COLOR: '3', TERM: 'dumb' }, true],
    ['with FORCE_COLOR=0 on a terminal', terminal, { FORCE_COLOR: '0' }, false],
    ['with FORCE_COLOR=false on a terminal', terminal, { FORCE_COLOR: 'false' }, false],
    ['with an empty FORCE_COLOR in a pipe', pipe, { FORCE_COLOR: '' }, false],
    ['with both: no colour', terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ]
  test.each(table)('%s', (_name, stream, env, colored) => {
    expect(paintFor(stream, env)).toBe(colored ? colorPaint : plainPaint)
  })
})

test.each([
  ['a terminal', terminal, {}, true],
  ['a pipe', pipe, {}, false],
  ['a dumb terminal', terminal, { TERM: 'dumb' }, false],
  ['CI', terminal, { CI: 'true' }, false],
] as const)('a line is drawn over again on %s: %s', (_name, stream, env, animated) => {
  expect(canAnimate(stream, env)).toBe(animated)
})

test.each([
  [0, '0.0 s'],
  [440, '0.4 s'],
  [9949, '9.9 s'],
  [9950, '10 s'],
  [59_400, '59 s'],
  [59_600, '1 m 0 s'],
  [200_000, '3 m 20 s'],
])('%i ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
  expect(steady(`a plan  ${text}\n`)).toBe('a plan\n')
})
