import { isSecret, reveal } from '@infra/shared/command/secret'
import type { Parsed } from '@infra/shared/env/parsed'
import { expect, test } from 'vitest'

/** What a type makes of a text: the value (a secret as `secret:…`), or `!` and the message. */
function says(type: Parsed<unknown>, text: string): unknown {
  const result = type.safeParse(text)
  if (result.success) return isSecret(result.data) ? `secret:${reveal(result.data)}` : result.data
  const issue = result.error.issues[0]
  const remedy = issue?.code === 'custom' ? issue.params?.remedy : undefined
  return `! ${issue?.message}${remedy ? ` (${remedy})` : ''}`
}

/** An outcome that is a refusal with these words. */
export const bad = (...words: string[]) => expect.stringMatching(new RegExp(`^! .*${words.join('.*')}`, 's'))

/** Each type with texts and what it shall make of them. */
export type TypeTable = readonly (readonly [
  name: string,
  type: Parsed<unknown>,
  cases: [text: string, outcome: unknown][],
])[]

export function check(table: TypeTable): void {
  for (const [name, type, cases] of table) {
    test.each(cases)(`${name}: %j`, (text, outcome) => {
      const said = says(type, text)
      expect(said).toEqual(outcome)
      // What is wrong with a secret is said without it.
      if (typeof said === 'string' && said.startsWith('!') && text.length >= 12 && /secret|key|token|bytes/i.test(name))
        expect(said).not.toContain(text)
    })
  }
}
