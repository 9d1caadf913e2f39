import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')

// What nobody but this program, npm or the system writes: a byte that is not UTF-8 is somebody else's there.
const ownFiles = [
  'pod/backup/backup.ts',
  'pod/backup/pins.ts',
  'pod/synapse/lock.ts',
  'shared/src/cli/npm-flags.ts',
  'shared/src/cli/own-key.ts',
  'shared/src/cli/plan-file.ts',
  'shared/src/env/other-writers.ts',
]

test('files that people write are decoded in one place, which refuses what is not UTF-8', () => {
  const places = ['shared/src/env', 'shared/src/cli', 'pod', 'cluster', 'stoat']
  const sources = places.flatMap((place) =>
    readdirSync(join(root, place), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
      .map((file) => join(place, file)),
  )
  expect(sources.length).toBeGreaterThan(150)
  const lossy = sources.filter((file) => /readFile(Sync)?\(.*'utf-?8'/.test(readFileSync(join(root, file), 'utf8')))
  expect(lossy.sort()).toEqual(ownFiles)
})
