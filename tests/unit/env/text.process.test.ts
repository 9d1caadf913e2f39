import { join } from 'node:path'
import { parseEnvText } from '@infra/shared/env/env-text'
import { shellWord } from '@infra/shared/env/shell-word'
import { describe, expect, test } from 'vitest'
import { folder, sourced } from './place.ts'

const home = '/home/someone'
const only = (text: string) => parseEnvText(text, home).assignments[0]

describe('what a line gives, and what a shell makes of it', () => {
  test.each<[line: string, value: string]>([
    ['export A="plain"', 'plain'],
    ["A='single $HOME stays'", 'single $HOME stays'],
    ['A=bare', 'bare'],
    ['export A="with a # inside"  # and a comment', 'with a # inside'],
    ["A='x'   # it's a comment", 'x'],
    ['A="$HOME/.ssh/k.pub"', '/home/someone/.ssh/k.pub'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's braces
    ['A="${HOME}/.ssh/k.pub"', '/home/someone/.ssh/k.pub'],
    ['A=$HOME/k', '/home/someone/k'],
    ['A="~/k"', '~/k'],
    ['A=~/k', '/home/someone/k'],
    ['A=', ''],
    ['export A=  # nothing yet', ''],
    ['A=""', ''],
    ['A="it\'s"', "it's"],
    ['A=\'say "hi"\'', 'say "hi"'],
    ["A='two\nlines'", 'two\nlines'],
    ['A=trailing   ', 'trailing'],
    ['A="cost: 5$"', 'cost: 5$'],
    ['\tA="indented"', 'indented'],
    ['A="a+/=b"', 'a+/=b'],
  ])('%s', (line, value) => {
    const entry = only(`${line}\n`)
    expect(entry?.value).toBe(value)
    expect(entry?.shell).toEqual({ value })
    const file = join(folder({ '.env.pod': `${line}\n` }), '.env.pod')
    for (const shell of ['bash', 'dash'] as const) expect(sourced(shell, file, 'A', home)).toBe(value)
  })

  test.each<[line: string, trouble: string]>([
    ['A="$(openssl rand -base64 32)"', 'substitution'],
    ['A=`date`', 'substitution'],
    ['A="`date`"', 'substitution'],
    ['A="pa$word"', 'variable'],
    ['A="pa$$word"', 'variable'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's braces
    ['A=${OTHER:-x}', 'variable'],
    ['A=$HOMER/x', 'variable'],
    ['A=two words', 'several words'],
    ['A=x; rm -rf y', 'operator'],
    ['A=a&b', 'operator'],
    ["A=it's", 'open quote'],
  ])('%s is told: %s', (line, trouble) => {
    expect(only(line)?.shell).toEqual({ trouble })
  })

  test.each<[line: string, ours: string, shell: string]>([
    ['A=abc#def', 'abc', 'abc#def'],
    ['A="a\\\\b"', 'a\\\\b', 'a\\b'],
    ['A="a\\nb"', 'a\nb', 'a\\nb'],
    ["A='it'\\''s'", "it'\\''s", "it's"],
    ['A="x\\$y"', 'x\\$y', 'x$y'],
  ])('%s: a shell reads another value, and we know which', (line, ours, shell) => {
    expect(only(line)).toMatchObject({ value: ours, shell: { value: shell } })
    const file = join(folder({ '.env.pod': `${line}\n` }), '.env.pod')
    for (const which of ['bash', 'dash'] as const) expect(sourced(which, file, 'A', home)).toBe(shell)
  })
})

test('places: what stands between start and end is the value with its quotes', () => {
  const text = '\uFEFF# head\r\nexport A="x"  # c\r\n\r\nB=\r\nC=y z # c\nD="m\nn"\nE=  # later\nF=1'
  const { assignments, broken, windows } = parseEnvText(text, home)
  expect(assignments.map(({ name, line, start, end }) => [name, line, text.slice(start, end)])).toEqual([
    ['A', 2, '"x"'],
    ['B', 4, ''],
    ['C', 5, 'y z'],
    ['D', 6, '"m\nn"'],
    ['E', 8, ''],
    ['F', 9, '1'],
  ])
  expect(text.slice(0, assignments[4]?.start).endsWith('E=')).toBe(true)
  expect(assignments.map((entry) => entry.value)).toEqual(['x', '', 'y z', 'm\nn', '', '1'])
  expect([broken, windows]).toEqual([[], true])
})

test('lines that are nothing are told by number, and the next line is read all the same', () => {
  const { assignments, broken, spaced } = parseEnvText('A=1\nwhat\nB="open\nC=3\nD: 4\nE = 5\n# fine\n  \n', home)
  expect(assignments.map((entry) => `${entry.name}=${entry.value}`)).toEqual(['A=1', 'C=3', 'E=5'])
  expect(broken.map((at) => at.line)).toEqual([2, 3, 5])
  expect(spaced).toEqual([6])
})

test('random lines: where we name a value, dash and bash read the same', () => {
  const pieces = [
    'a',
    'Z9',
    '"',
    "'",
    '\\',
    '$HOME',
    '$',
    '#',
    ' #',
    '~',
    '/',
    '\\"',
    '\\$',
    '-',
    '=',
    '!',
    '*',
    '"x y"',
    "'$q'",
  ]
  let state = 20250930
  const next = (below: number) => {
    state = (state * 48271) % 2147483647
    return state % below
  }
  let compared = 0
  for (let round = 0; round < 400; round++) {
    const raw = Array.from({ length: 1 + next(6) }, () => pieces[next(pieces.length)]).join('')
    const ours = shellWord(raw, home)
    if ('trouble' in ours) continue
    compared++
    const root = folder({ f: `A=${raw}\n` })
    expect([raw, sourced(round % 4 === 0 ? 'bash' : 'dash', join(root, 'f'), 'A', home)]).toEqual([raw, ours.value])
  }
  expect(compared).toBeGreaterThan(100)
})
