import { converged, type Decision, noting, refuse } from '@infra/shared/engine/step'
import { hasBackupYoungerThan, type LastBackup } from '../backup/last.ts'

/** How many days old a backup may be that an upgrade goes on with: what was written since is lost when it is restored. */
const backupDays = 1

export interface Backups {
  readonly last: LastBackup | null
  /** Somebody says that there is one: `--has-backup`. */
  readonly said: boolean
  /** Now, in milliseconds since 1970. */
  readonly at: number
}

/** What changes data for good goes on where there is a backup to come back to, and is told. */
export function backedUp({ last, said, at }: Backups, what: string): Decision {
  if (last && hasBackupYoungerThan(last, backupDays, at))
    return noting(converged(`backup ${last.name}`), [`${what}. The way back is ${last.name} at ${last.place}`])
  if (said) return noting(converged('a backup, as --has-backup says'), [`${what}. The way back is your backup`])
  return refuse(
    `${what}; ${last ? `the newest backup is older than a day (${last.name})` : 'there is no backup'}`,
    'npm run backup -w stoat makes one; then deploy. With one of another kind, such as a snapshot of the volumes: npm run deploy -w stoat -- --has-backup.',
  )
}
