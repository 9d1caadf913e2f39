import { age, megabytes, sectionText, tableLines } from '@infra/shared/report/table'
import { expect, it } from 'vitest'

it('a table has columns of equal width, and a dash for nothing', () => {
  expect(
    tableLines([
      ['NAME', 'READY'],
      ['discord-bot', ''],
      ['é', 'yes'],
    ]),
  ).toEqual(['NAME         READY', 'discord-bot  -', 'é            yes'])
  expect(tableLines([])).toEqual([])
})

it.each([
  [0, '0 s'],
  [119.9, '119 s'],
  [120, '2 m'],
  [7199, '119 m'],
  [7200, '2 h'],
  [172_800, '2 d'],
  [-5, '0 s'],
])('%d seconds are %s', (seconds, said) => expect(age(seconds)).toBe(said))

it.each([
  [0, '0.0 MB'],
  [1_234_567, '1.2 MB'],
  [312_400_000, '312 MB'],
])('%d bytes are %s', (bytes, said) => expect(megabytes(bytes)).toBe(said))

it('a section without a row says so, and one that failed says why', () => {
  expect(sectionText('pods', [['NAME'], ['a']])).toBe('pods\n  NAME\n  a')
  expect(sectionText('pods', [['NAME']])).toBe('pods\n  none')
  expect(sectionText('pods', [], 'no answer')).toBe('pods\n  no answer')
})
