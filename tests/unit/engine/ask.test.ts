import { raw } from '@infra/shared/command/sh'
import { factOf } from '@infra/shared/engine/ask'
import { expect, test } from 'vitest'

const question = (line: string) => ({ command: raw(line), parse: ({ code }: { code: number }) => code === 0 })
const cutOff = { code: 124, stdout: '', stderr: '', unanswered: 'no answer within 30 seconds' }

test('an answer that is whole is told by its question', () => {
  expect(factOf(question('true'), { code: 1, stdout: '', stderr: '' })).toBe(false)
})

test('one that was cut off is no answer, whatever its parser would make of it, and names the question in a line', () => {
  expect(() => factOf(question('cat HEAD'), cutOff)).toThrow('no answer within 30 seconds to: cat HEAD')
  expect(() => factOf(question('cat HEAD\nmore'), cutOff)).toThrow(/ to: cat HEAD …$/)
  expect(() => factOf(question('x'.repeat(200)), cutOff)).toThrow(/ to: x{120} …$/)
})
