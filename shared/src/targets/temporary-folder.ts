import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A private folder of the system's, for the sockets of a connection: their paths may have about 100 characters. */
export interface TemporaryFolder {
  readonly path: string
  /** Takes it away with all that is in it. */
  remove(): void
}

/**
 * Makes one, `infra-PID-…`, which goes away with this process at the latest: a run that is stopped at once does not come to
 * `remove`. Only what kills the process outright leaves it behind.
 */
export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `infra-${process.pid}-`))
  const remove = () => {
    process.off('exit', remove)
    rmSync(path, { recursive: true, force: true })
  }
  process.once('exit', remove)
  return { path, remove }
}
