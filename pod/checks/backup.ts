import { type Check, check, fail, ok, warn } from '@infra/shared/engine/check'
import { unitState } from '@infra/shared/facts/host/systemd'
import { backupState, backupUnit } from '../backup/facts.ts'
import type { PodContext } from '../context.ts'

const again = 'npm run deploy -w pod -- --tags backup'

/** The scheduled backups, where they are switched on: that they come, and that the last one worked. */
export const backupChecks = ({ env, host }: PodContext): readonly Check[] =>
  env.VALENCE_BACKUP_TIMER
    ? [
        check(host, {
          id: 'backup.timer',
          about: `backups ${env.VALENCE_BACKUP_CALENDAR}`,
          remedy: again,
          ask: { timer: unitState(`${backupUnit}.timer`) },
          judge: ({ timer }) =>
            timer.active === 'active' && timer.enabled === 'enabled'
              ? ok(timer.active)
              : fail(`${timer.active}, ${timer.enabled || 'absent'}`),
        }),
        check(host, {
          id: 'backup.last',
          about: 'the last backup worked',
          remedy: `npm run logs -w pod -- backup; to try again: npm run ssh -w pod -- systemctl start ${backupUnit}`,
          ask: { now: backupState },
          judge({ now: { newest, result, running, triggered } }) {
            if (result !== 'success') return fail(`it failed: ${result}`)
            if (!newest) return triggered === null || running ? warn('there is none yet') : fail('there is none')
            // The newest is written after its start was triggered; one that is older belongs to an earlier start.
            if (triggered !== null && !running && newest.at < triggered) return fail(`the newest is ${newest.name}`)
            return ok(newest.name)
          },
        }),
      ]
    : []
