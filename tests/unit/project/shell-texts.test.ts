import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')

test('no shell loop means to fail by what comes before `break`: a loop that breaks has succeeded', () => {
  const sources = ['shared/src', 'pod', 'cluster', 'stoat'].flatMap((place) =>
    readdirSync(join(root, place), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|sh)$/.test(file) && !file.includes('node_modules'))
      .map((file) => join(place, file)),
  )
  expect(sources.length).toBeGreaterThan(200)
  const wrong = sources.filter((file) => /\bfalse;\s*break\b/.test(readFileSync(join(root, file), 'utf8')))
  expect(wrong).toEqual([])
})
