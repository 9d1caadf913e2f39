import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Pin, parsePins } from '@infra/shared/command/pins'
import { Failure } from '@infra/shared/engine/failure'

/** Where this machine keeps the public halves of the keys that sign a pod's archives. `folder` is the project's own. */
export const pinsPath = (folder: string, domain: string): string => join(folder, 'archives', `${domain}.keys`)

/** Those keys; none where no deploy of this machine met one. Throws for a file that cannot be read. */
export function pinsOfPod(folder: string, domain: string): readonly Pin[] {
  const path = pinsPath(folder, domain)
  try {
    return parsePins(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    throw new Failure('error', `the keys that sign backups, ${path}, cannot be read: ${message}`, {
      remedy: `Mend the file, or rm ${path}; the next deploy pins the key that it finds.`,
    })
  }
}
