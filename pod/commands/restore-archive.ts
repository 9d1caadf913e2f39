import { existsSync, statSync } from 'node:fs'
import { type Judged, judgeArchive } from '@infra/shared/archive/seal'
import { sayVerdict, stranger } from '@infra/shared/archive/verdict'
import { usage } from '@infra/shared/cli/options'
import { ownKey } from '@infra/shared/cli/own-key'
import { stateFolder } from '@infra/shared/cli/paths'
import type { Session } from '@infra/shared/cli/session'
import { archiveOf } from '../backup/backup.ts'
import { pinsOfPod } from '../backup/pins.ts'
import { told } from './locked.ts'
import { size } from './status-text.ts'

/**
 * Judges the archive that shall be restored, on this machine alone, and says who vouches for it. Throws for one that is
 * damaged, forged or of another pod, and, without `--trust-archive`, for one that nobody known here vouches for.
 */
export async function judged(session: Session, path: string, domain: string): Promise<Judged> {
  const { root, emit, workspaceOptions: own } = session
  if (!existsSync(path) || !statSync(path).isFile())
    throw usage(`there is no file ${path}`, 'Give the archive that backup made.')
  const folder = stateFolder(root)
  const trust = { of: archiveOf(domain), key: ownKey(folder, 'archive', false), pins: pinsOfPod(folder, domain) }
  const archive = await told(session, 'looking at the seal of the archive', (progress) => {
    let last = 0
    const hear = (bytes: number) => {
      if (Date.now() - last < 500) return
      last = Date.now()
      progress(size(bytes))
    }
    return judgeArchive(path, { ...trust, progress: hear })
  })
  const { verdict } = archive
  if (verdict.kind === 'unknown' && own['trust-archive'] !== true) throw stranger(path, verdict.why)
  emit({
    type: 'message',
    level: verdict.kind === 'unknown' ? 'warn' : 'info',
    text: sayVerdict(verdict, "the pod's timer"),
  })
  return archive
}
