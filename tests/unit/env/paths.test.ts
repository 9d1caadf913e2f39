import { metaOf } from '@infra/shared/env/variable'
import { expect, test } from 'vitest'
import { schemas } from './tables.ts'

test('a variable that names a file takes ~ and paths from the root', () => {
  const all = schemas.flatMap(({ variables }) =>
    Object.entries(variables).map(([name, one]) => ({ name, ...metaOf(one) })),
  )
  const named = all.filter(({ name, example }) => /_(FILE|FOLDER|DIR)$/.test(name) || /^(~|\.{0,2}\/)/.test(example))
  expect(named.length).toBeGreaterThan(8)
  expect(named.filter(({ path, paths }) => !path && !paths).map(({ name }) => name)).toEqual([])
})
