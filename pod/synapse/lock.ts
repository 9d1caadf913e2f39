import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PipLock } from '@infra/shared/steps/host/pip'

/** What has no wheel on PyPI, and is built on the host. */
export const sourceNames: readonly string[] = ['psycopg2']

const folder = join(import.meta.dirname, '../files')

/** The locks of the default SYNAPSE_VERSION: requirements of pip with hashes. `npm run lock` writes them. */
export const lockFiles = { wheels: join(folder, 'synapse-wheels.lock'), sources: join(folder, 'synapse-sources.lock') }

/** Where they lie on the host. */
const there = '/usr/local/share/valence'

/** Their content, by where it lies on the host. */
export const lockContents = (): Readonly<Record<string, string>> => ({
  [`${there}/synapse-wheels.lock`]: readFileSync(lockFiles.wheels, 'utf8'),
  [`${there}/synapse-sources.lock`]: readFileSync(lockFiles.sources, 'utf8'),
})

/** The names that a lock holds, as pip compares them. */
export const lockedNames = (content: string): readonly string[] =>
  [...content.matchAll(/^([a-z0-9-]+)==/gm)].map(([, name = '']) => name)

/** For the step that installs by them. */
export function synapseLock(): PipLock {
  const [wheels = '', sources = ''] = Object.keys(lockContents())
  const names = Object.values(lockContents()).flatMap(lockedNames)
  return { wheels, sources, names, built: sourceNames }
}
