import { converged, refuse, type Step, step } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { fileDigest } from '@infra/shared/facts/host/file'

/** Where restore.sh keeps, until it has come to its end, the script that gives everything back. */
export const undoRestore = '/var/lib/infra/undo-restore.sh'

/** Files and database that do not belong together must not be started on: a restore that was cut short is undone first. */
export function noUnfinishedRestore(on: Target): Step {
  return step({
    id: 'no unfinished restore',
    on,
    ask: { left: fileDigest(undoRestore) },
    plan: ({ left }) =>
      left
        ? refuse(
            'a restore came to no end on this host: its files and its database may not be of one time',
            `Give back what was there, on the host (npm run ssh -w pod), as root: bash ${undoRestore}; or, if all of the backup is in place and shall stay: rm ${undoRestore}`,
          )
        : converged('none'),
  })
}
