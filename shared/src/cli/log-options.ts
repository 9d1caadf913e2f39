import { usage, type WorkspaceOptions } from './options.ts'
import { type Since, sinceOf } from './since.ts'

/** What `logs` takes: the same in every workspace. */
export const logOptions = {
  follow: { type: 'boolean', short: 'f', help: 'follow the log until Ctrl-C' },
  lines: {
    type: 'string',
    short: 'n',
    value: 'LINES',
    alsoCalled: ['tail'],
    help: 'the number of last lines (default 100)',
  },
  since: { type: 'string', value: 'TIME', help: 'only lines since: "10 minutes ago", 1h, "today"' },
  previous: { type: 'boolean', help: 'in Kubernetes: the log of the previous container' },
} as const

/** What of a log is wanted. */
export interface LogRange {
  readonly follow: boolean
  /** How many of the last lines, in digits. */
  readonly lines: string
  readonly since: Since | undefined
  readonly previous: boolean
}

/** Reads the options of `logs`. Throws a usage failure for a number that is none. */
export function logRange({ follow, lines = '100', since, previous }: WorkspaceOptions): LogRange {
  if (!/^\d{1,7}$/.test(String(lines))) throw usage(`--lines ${lines} is not a number of lines`, '--lines 100')
  return {
    follow: follow === true,
    lines: String(lines),
    since: since === undefined ? undefined : sinceOf(String(since)),
    previous: previous === true,
  }
}
