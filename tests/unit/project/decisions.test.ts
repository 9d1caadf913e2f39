import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('decisions are numbered one by one: each number is of one', () => {
  const names = readdirSync(join(import.meta.dirname, '../../../docs/decisions')).sort()
  expect(names.length).toBeGreaterThan(20)
  expect(names.map((name) => name.slice(0, 4))).toEqual(
    names.map((_, index) => `${String(index + 1).padStart(3, '0')}-`),
  )
})
