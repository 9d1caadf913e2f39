import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('a page names another one by a link', () => {
  const folder = join(import.meta.dirname, '../../../docs')
  const pages = readdirSync(folder).filter((name) => name.endsWith('.md'))
  expect(pages.length).toBeGreaterThan(10)
  const named = pages.flatMap((name) =>
    [...readFileSync(join(folder, name), 'utf8').matchAll(/`(docs\/)?([a-z-]+\.md)`/g)]
      .filter(([, , page = '']) => pages.includes(page))
      .map(([text]) => `${name}: ${text}`),
  )
  expect(named).toEqual([])
})
