import { raw, type Shell, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface FileSystem {
  readonly mount: string
  /** Percent, rounded up as df(1) does. */
  readonly used: number
  /** Percent of the inodes; undefined where the file system has no fixed number of them. */
  readonly inodes: number | undefined
}

/** The file systems that hold these paths, each once. A path that is not there yet is passed over. */
export function fileSystems(paths: readonly string[]): Question<readonly FileSystem[]> {
  return {
    command: sh`for p in ${paths}; do [ -e "$p" ] && df --output=target,pcent,ipcent -- "$p" | tail -n 1; done 2>&1`,
    parse({ stdout }) {
      const found = [...stdout.matchAll(/^(\S.*?) +(\d+)% +(?:(\d+)%|-)$/gm)].map(([, mount = '', used, inodes]) => ({
        mount,
        used: Number(used),
        inodes: inodes === undefined ? undefined : Number(inodes),
      }))
      if (found.length === 0)
        throw new Error(stdout.match(/^df: .*$/m)?.[0] ?? 'df does not tell how full the disks are')
      return [...new Map(found.map((each) => [each.mount, each])).values()]
    },
  }
}

/** Memory that programs can still get, in MB (1024 · 1024 bytes), by the kernel's own estimate. */
export const availableMemory: Question<number> = {
  command: raw('cat /proc/meminfo'),
  parse({ stdout }) {
    const kb = stdout.match(/^MemAvailable: +(\d+) kB$/m)?.[1]
    if (kb === undefined) throw new Error('/proc/meminfo does not tell')
    return Math.floor(Number(kb) / 1024)
  },
}

/** Whether the kernel holds the host's clock for synchronised, as systemd-timedated says. */
export const clockSynchronised: Question<boolean> = {
  command: raw('timedatectl show -p NTPSynchronized --value'),
  parse: ({ stdout }) => stdout.trim() === 'yes',
}

/** The host's clock, in seconds since 1970: to be asked by itself by whoever compares it with another. */
export const clockTime: Question<number> = {
  command: raw('date +%s'),
  parse({ stdout }) {
    if (!/^\d+$/.test(stdout.trim())) throw new Error('date does not tell')
    return Number(stdout)
  },
}

export interface LoggedErrors {
  readonly count: number
  /** The newest, with its host or unit. */
  readonly last: string | undefined
}

/** Counts the lines of errors that a command prints, oldest first, each with its time, host and unit. */
export const loggedErrors = (command: Shell): Question<LoggedErrors> => ({
  command,
  parse({ code, stdout, stderr }) {
    if (code !== 0 || stderr !== '') throw new Error(stderr.trim() || `exit code ${code}`)
    const lines = stdout.split('\n').filter(Boolean)
    return { count: lines.length, last: lines.at(-1)?.replace(/^\S+ /, '') }
  },
})

/** The units that failed and were not started again since. */
export const failedUnits: Question<readonly string[]> = {
  command: raw('systemctl list-units --state=failed --plain --no-legend --no-pager'),
  parse({ code, stdout, stderr }) {
    if (code !== 0) throw new Error(stderr.trim() || `exit code ${code}`)
    return [...stdout.matchAll(/^(\S+\.\w+) /gm)].map(([, unit = '']) => unit)
  },
}
