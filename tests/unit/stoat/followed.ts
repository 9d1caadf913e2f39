import { createHash } from 'node:crypto'
import type { Decision } from '@infra/shared/engine/step'
import { expect } from 'vitest'
import { type StoatEnv, stoatSchema } from '../../../stoat/env/env.ts'
import { examples, expectFree, follow, loaded, remedyOf, type Typed } from '../steps/follow.ts'

/** 32 bytes that no type takes for a pattern. */
export const key = (letter: string) => createHash('sha256').update(letter).digest('base64')
export const base = examples(stoatSchema)

export interface Row {
  /** What is set besides what a deployment needs. */
  readonly typed?: Typed
  readonly says: RegExp
  readonly decide: (env: StoatEnv) => Decision | undefined
  /** What only the reader of the remedy knows. */
  readonly own?: Typed
  /** The same after a command of the remedy has changed what is there. */
  readonly after?: (env: StoatEnv) => Decision | undefined
  /** What the remedy names that `after` is after. */
  readonly names?: string
}

/** Types what the remedy says, and decides again. */
export function followed({ typed = {}, says, decide, own, after, names }: Row): void {
  const before = { ...base, ...typed }
  const remedy = remedyOf(decide(loaded(stoatSchema, before)), says)
  if (names !== undefined) expect(remedy).toContain(names)
  for (const name of Object.keys(own ?? {})) expect(remedy).toContain(name)
  expectFree((after ?? decide)(loaded(stoatSchema, follow(before, remedy, own))))
}

export const s3 = {
  STOAT_S3_ENDPOINT: 'https://s3.example.com',
  STOAT_S3_ACCESS_KEY_ID: 'an-id',
  STOAT_S3_SECRET_ACCESS_KEY: 'the-secret-half-of-it-1',
}
