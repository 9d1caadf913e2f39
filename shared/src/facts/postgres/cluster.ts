import { askWithRightsOf, isNoUser } from '../../command/as-user.ts'
import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface Cluster {
  /** The major version. */
  readonly version: string
  readonly name: string
  /** As configured, ALTER SYSTEM included. */
  readonly port: number
  /** `online`, `down`, `online,recovery` … */
  readonly status: string
}

/**
 * The clusters of the host, as Debian's postgresql-common sees them; none where it is not installed. Their folders are
 * user postgres's: it reads them itself.
 */
export const clusters: Question<readonly Cluster[]> = {
  command: askWithRightsOf('postgres', sh`pg_lsclusters -h`),
  parse(answer) {
    const { code, stdout, stderr } = answer
    if (isNoUser(answer)) return []
    if (code !== 0) throw new Error(stderr.trim())
    const lines = stdout.split('\n').filter((line) => line.trim() !== '')
    return lines.map((line) => {
      const [version = '', name = '', port, status = ''] = line.trim().split(/\s+/)
      return { version, name, port: Number(port), status }
    })
  },
}

/** The port that a running cluster listens on, from its postmaster.pid; undefined while it does not run. */
export function runningPort(version: number, cluster: string): Question<number | undefined> {
  return {
    command: askWithRightsOf(
      'postgres',
      sh`sed -n 4p ${`/var/lib/postgresql/${version}/${cluster}/postmaster.pid`} 2>/dev/null`,
    ),
    parse: ({ stdout }) => Number(stdout.trim()) || undefined,
  }
}
