import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cached, tellBuilds } from '../../lab/cache.ts'
import { until } from '../../lab/run.ts'
import { tempFolder } from '../../support/temp.ts'

test('what is built once is told when it begins, while it goes on, and when it is done; never again', async () => {
  process.env.LAB_CACHE = tempFolder()
  const lines: string[] = []
  tellBuilds((line) => lines.push(line), 20)
  const still = () => lines.filter((line) => line.startsWith('still builds bot')).length
  const build = async (folder: string) => {
    await until('it to be told twice', 20_000, async () => still() > 1 || undefined)
    await writeFile(join(folder, 'made'), '')
  }
  const make = () => cached('go', { module: 'bot' }, build, 'bot (1 of 5)')
  await make()
  expect(lines[0]).toBe('builds bot (1 of 5), which is kept; Ctrl-C loses this one only')
  expect(lines[1]).toMatch(/^still builds bot \(1 of 5\): \d+ s$/)
  expect(lines.at(-1)).toMatch(/^built bot \(1 of 5\) in \d+ s$/)
  const told = lines.length
  await make()
  expect(lines).toHaveLength(told)
})
