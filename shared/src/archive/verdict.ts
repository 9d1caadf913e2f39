import { Failure } from '../engine/failure.ts'
import type { Verdict } from './seal.ts'

/** Who vouches for an archive, for the one who restores it. `signer` is who signs where it is made: `the pod's timer`. */
export function sayVerdict(verdict: Verdict, signer: string): string {
  if (verdict.kind === 'sealed') return `the archive: made ${verdict.made}, sealed by this operator's key`
  if (verdict.kind === 'signed')
    return `the archive: made ${verdict.made}, signed by ${signer} (key pinned ${verdict.pinned})`
  return `the archive: UNKNOWN, ${verdict.why}; it is restored since --trust-archive says so`
}

/** The refusal of an archive that nobody known here vouches for. */
export const stranger = (path: string, why: string): Failure =>
  new Failure('error', `nobody known here vouches for ${path}: ${why}; nothing was changed`, {
    remedy: `Whoever has the public key of your backups can make such an archive, with anything in it. Made by you on another machine: put its .infra/archive.key (or .infra/archives) here. If you know where it comes from: --trust-archive`,
  })
