import { type Check, check, ok, warn } from '@infra/shared/engine/check'
import { age } from '@infra/shared/report/amounts'
import { hasBackupYoungerThan, lastBackup } from '../backup/last.ts'
import type { StoatContext } from '../context.ts'

/** There is a backup, and it is not too old. */
export function backupCheck({ env, kube }: StoatContext): Check {
  const days = env.STOAT_BACKUP_MAX_AGE
  return check(kube, {
    id: 'backup.last',
    about: `a backup was taken in the last ${days === 1 ? 'day' : `${days} days`}`,
    remedy: 'npm run backup -w stoat takes one; STOAT_BACKUP_MAX_AGE says how old it may be.',
    severity: 'warn',
    ask: { last: lastBackup() },
    judge({ last }) {
      if (last === null) return warn('none was taken yet')
      const told = `${last.name}, ${age(Date.now() - last.at)} ago`
      return hasBackupYoungerThan(last, days) ? ok(told) : warn(told)
    },
  })
}
