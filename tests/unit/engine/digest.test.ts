import { plainText, text } from '@infra/shared/command/command'
import { secret } from '@infra/shared/command/secret'
import { raw, withStdin } from '@infra/shared/command/sh'
import { digestPlan } from '@infra/shared/engine/digest'
import { changes, create, step } from '@infra/shared/engine/step'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'

const one = step({ id: 'one', on: blank('x'), ask: {}, plan: () => changes([], '') })

/** The fingerprint of a plan of one step that found and decided this. */
function digest(facts: Record<string, unknown>, stdin = plainText(''), salt = 'salt'): string {
  const decision = changes([create('it', withStdin(raw('cat'), stdin))], '')
  const steps = [{ script: 's', step: one, facts, decision, unknown: undefined, pending: [] }]
  return digestPlan({ steps }, salt).one ?? ''
}

describe('the fingerprint of a plan', () => {
  const different: [string, string, string][] = [
    ['a fact', digest({ a: 1 }), digest({ a: 2 })],
    ['a fact inside a map', digest({ a: new Map([['x', 1]]) }), digest({ a: new Map([['x', 2]]) })],
    ['a fact inside a set', digest({ a: new Set([1]) }), digest({ a: new Set([2]) })],
    ['a secret fact', digest({ a: secret('one-secret') }), digest({ a: secret('two-secret') })],
    [
      'a secret deep in a fact',
      digest({ a: [{ b: secret('one-secret') }] }),
      digest({ a: [{ b: secret('two-secret') }] }),
    ],
    [
      'a secret in what is written',
      digest({}, text`p=${secret('one-secret')}`),
      digest({}, text`p=${secret('two-secret')}`),
    ],
    ['a big number', digest({ a: 9007199254740993n }), digest({ a: 9007199254740992n })],
    ['the salt', digest({ a: 1 }), digest({ a: 1 }, plainText(''), 'other')],
  ]
  test.each(different)('differs by %s', (_what, left, right) => expect(left).not.toBe(right))

  test('is the same for equal facts and equal secrets', () => {
    const make = () => digest({ a: [secret('one-secret'), new Map([['x', 1]])] }, text`p=${secret('one-secret')}`)
    expect(make()).toBe(make())
  })

  test('is 64 hexadecimal digits and tells nothing', () => {
    expect(digest({ a: secret('one-secret'), b: 'plain' })).toMatch(/^[0-9a-f]{64}$/)
  })
})
