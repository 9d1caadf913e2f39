import { readFileSync } from 'node:fs'

/** A process and when it started: a pid alone may already belong to another. Written as `PID START`. */
export type ProcessId = { readonly pid: number; readonly start: string }

/** The identity of a living process, or undefined when there is none. */
export function identify(pid: number): ProcessId | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Field 22; the name in field 2 may hold blanks and parentheses, so count after its end.
    const start = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[19]
    return start === undefined ? undefined : { pid, start }
  } catch {
    return undefined
  }
}

export const isAlive = (id: ProcessId): boolean => identify(id.pid)?.start === id.start

export const printId = (id: ProcessId): string => `${id.pid} ${id.start}\n`

export function parseId(text: string): ProcessId | undefined {
  const [pid, start] = text.trim().split(' ')
  return pid === undefined || start === undefined ? undefined : { pid: Number(pid), start }
}
