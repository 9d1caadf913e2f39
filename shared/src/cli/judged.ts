import { existsSync, statSync } from 'node:fs'
import { type Judged, judgeArchive } from '../archive/seal.ts'
import { sayVerdict, stranger } from '../archive/verdict.ts'
import type { Pin } from '../command/pins.ts'
import { size } from '../report/amounts.ts'
import { told } from './locked.ts'
import { usage } from './options.ts'
import { ownKey } from './own-key.ts'
import { stateFolder } from './paths.ts'
import type { Session } from './session.ts'

/** What an archive must be. */
export interface Wanted {
  /** What it must be of: `pod pod.example.com`. */
  readonly of: string
  readonly pins: readonly Pin[]
  /** Who signs such archives where they are made, for messages: `the pod's timer`. */
  readonly signer: string
}

/**
 * Judges the archive that shall be restored, on this machine alone, and says who vouches for it. Throws for one that is
 * damaged, forged or of something else, and, without `--trust-archive`, for one that nobody known here vouches for.
 */
export async function judged(session: Session, path: string, { of, pins, signer }: Wanted): Promise<Judged> {
  const { root, emit, workspaceOptions: own } = session
  if (!existsSync(path) || !statSync(path).isFile())
    throw usage(`there is no file ${path}`, 'Give the archive that backup made.')
  const trust = { of, key: ownKey(stateFolder(root), 'archive', false), pins }
  const archive = await told(session, 'checking the seal of the archive', (progress) => {
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
  emit({ type: 'message', level: verdict.kind === 'unknown' ? 'warn' : 'info', text: sayVerdict(verdict, signer) })
  return archive
}
