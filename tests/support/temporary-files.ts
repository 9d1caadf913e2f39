import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isGone, processIdentity } from '@infra/shared/targets/run-identity'

const prefix = 'infra-tests-'
const owner = 'owner'

/**
 * Vitest calls it before the first test: everything that tests and what they start keep among temporary files goes into one
 * folder, and away with it at the end; of the lab what `tempFolder` makes. What a run left that was killed goes at the
 * beginning of the next one.
 */
export default function setup(): () => void {
  const { TMPDIR } = process.env
  const place = tmpdir()
  removeAbandoned(place)
  const folder = mkdtempSync(join(place, prefix))
  // As the system's own: some tests start programs as other users.
  chmodSync(folder, 0o1777)
  writeFileSync(join(folder, owner), processIdentity() ?? '')
  process.env.TMPDIR = folder
  process.env.TEST_FILES = folder
  return () => {
    delete process.env.TEST_FILES
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    remove(folder)
  }
}

function removeAbandoned(place: string): void {
  for (const name of readdirSync(place).filter((one) => one.startsWith(prefix))) {
    const folder = join(place, name)
    try {
      if (isGone(readFileSync(join(folder, owner), 'utf8'))) remove(folder)
    } catch {
      // Another run makes or removes it just now.
    }
  }
}

const remove = (folder: string) => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
