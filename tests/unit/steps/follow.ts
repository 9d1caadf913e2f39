import { createHash } from 'node:crypto'
import type { Decision } from '@infra/shared/engine/step'
import { loadEnv } from '@infra/shared/env/load'
import { type EnvOf, type Schema, variablesOf } from '@infra/shared/env/variable'
import { expect } from 'vitest'
import { tempFolder } from '../../support/temp.ts'

/** An environment as it is typed: the text of each variable that is set. */
export type Typed = Readonly<Record<string, string>>

/** What a remedy has the reader set: each `NAME=value`, without the punctuation of the sentence. */
export const settingsIn = (remedy: string): Typed =>
  Object.fromEntries(
    [...remedy.matchAll(/\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)=(\S+)/g)].map(([, name = '', value = '']) => [
      name,
      value.replace(/[.,:;)]+$/, ''),
    ]),
  )

/** The variables that a remedy has the reader take out. */
export const unsetIn = (remedy: string): string[] =>
  [...remedy.matchAll(/\b(?:[Uu]nset|Take) ((?:[A-Z][A-Z0-9_]+(?:, | and )?)+)/g)].flatMap(
    ([, names = '']) => names.match(/[A-Z0-9_]+/g) ?? [],
  )

/** The environment after what a remedy says was typed; `own` are values that only its reader knows. */
export function follow(typed: Typed, remedy: string, own: Typed = {}): Typed {
  const gone = unsetIn(remedy)
  const kept = Object.entries({ ...typed, ...settingsIn(remedy), ...own }).filter(([name]) => !gone.includes(name))
  return Object.fromEntries(kept)
}

/** An environment as a deployment loads it. Throws with what the schema says against it. */
export function loaded<T extends Schema>(schema: T, typed: Typed): EnvOf<T> {
  const found = loadEnv({ schema, root: tempFolder(), processEnv: typed, purpose: 'plan' })
  if (found.problems)
    throw new Error(found.problems.map(({ variable, message }) => `${variable}: ${message}`).join('; '))
  return found.env
}

/** The text of each variable that a deployment needs. */
export const examples = (schema: Schema): Typed =>
  Object.fromEntries(
    variablesOf(schema).flatMap(({ name, type, meta }) => {
      if (type.safeParse(undefined).success) return []
      const sample = typeof meta.sample === 'function' ? meta.sample() : meta.sample
      const made = createHash('sha256').update(name).digest('base64url')
      const texts = [sample, ...(meta.secret || meta.generate ? [] : [meta.example]), made, '123456789012345678']
      const isGood = (text: string | undefined) => text !== meta.placeholder && type.safeParse(text).success
      return [[name, texts.find(isGood) ?? '']]
    }),
  )

/** The remedy of a refusal whose reason is as it shall be. */
export function remedyOf(decision: Decision | undefined, says: RegExp): string {
  expect(decision).toMatchObject({ kind: 'refused', reason: expect.stringMatching(says) })
  return decision?.kind === 'refused' ? decision.remedy : ''
}

/** The way is free, and nothing is lost on it. */
export function expectFree(decision: Decision | undefined): void {
  if (decision?.kind === 'refused') expect(`${decision.reason}: ${decision.remedy}`).toBe('not refused')
  if (decision?.kind === 'changes') expect(decision.changes.filter(({ risk }) => risk === 'data')).toEqual([])
}
