import { raw } from '@infra/shared/command/sh'
import type { Question } from '@infra/shared/engine/step'

/** Where the timer keeps its backups on the host. */
export const backupFolder = '/var/backups/valence'
/** Its units: `valence-backup.timer` starts `valence-backup.service`. */
export const backupUnit = 'valence-backup'
/** The key that signs them, root's alone. */
export const signingKeyPath = '/var/lib/infra/archive-signing.pem'

export interface BackupState {
  /** The newest archive on the host; `at` in milliseconds since 1970. */
  readonly newest: { readonly name: string; readonly at: number; readonly bytes: number } | null
  /** systemd's word for how the last scheduled backup ended: `success`, `exit-code`, `timeout` … */
  readonly result: string
  /** `active` while one is being made, `activating` too. */
  readonly running: boolean
  /** When the timer last started one, in milliseconds since 1970; null when it never did. */
  readonly triggered: number | null
}

/** The scheduled backups of the host: the newest one and how the last attempt went. */
export const backupState: Question<BackupState> = {
  command: raw(
    `find ${backupFolder} -maxdepth 1 -name '*.tar.age' -printf '%T@ %s %f\\n' 2>/dev/null | sort -n | tail -n 1; echo; \
systemctl show --timestamp=us+utc -p Result,ActiveState ${backupUnit}.service; \
systemctl show --timestamp=us+utc -p LastTriggerUSec ${backupUnit}.timer`,
  ),
  parse({ stdout }) {
    const [line = '', ...rest] = stdout.split('\n')
    const [at, bytes, ...name] = line.split(' ')
    const value = new Map(rest.map((row) => row.split(/=(.*)/s) as [string, string]))
    const stamp = value.get('LastTriggerUSec')?.match(/(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/)
    return {
      newest:
        name.length > 0 ? { name: name.join(' '), at: Math.round(Number(at) * 1000), bytes: Number(bytes) } : null,
      result: value.get('Result') || 'success',
      running: ['active', 'activating'].includes(value.get('ActiveState') ?? ''),
      triggered: stamp ? Date.parse(`${stamp[1]}T${stamp[2]}Z`) : null,
    }
  },
}
