import { plainText, revealText, showText } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { yaml } from '@infra/shared/command/yaml'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

describe('yaml', () => {
  test.each(['plain', `it's "4"`, 'a\\nb', 'two\nlines', '#no comment', '*no alias', ' 5', 'é\u2028', ''])(
    'a string comes back as it was: %j',
    (value) => {
      expect(parse(revealText(yaml`key: ${value}`))).toEqual({ key: value })
    },
  )

  test('a secret is quoted, and not shown', () => {
    const made = yaml`password: ${secret('my "quoted" secret')}`
    expect(parse(revealText(made))).toEqual({ password: 'my "quoted" secret' })
    expect(showText(made)).toBe('password: [secret]')
  })

  test('numbers, booleans and texts stand as they are', () => {
    expect(revealText(yaml`a: ${5}\nb: ${true}\n${plainText('c: x')}`)).toBe('a: 5\nb: true\nc: x')
  })

  test('nothing else is taken', () => {
    for (const hole of [undefined, null, Number.NaN, {}, Promise.resolve('x')])
      expect(() => yaml`a: ${hole as never}`).toThrow('yaml: hole 1 is')
  })
})
