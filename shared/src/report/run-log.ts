import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { jsonReporter } from './json.ts'
import { newFile } from './outlet.ts'
import type { Reporter } from './reporter.ts'

/** What only looks. The logs of other commands are kept apart: a day of plans must not push the last deployment out. */
export const lookingCommands = ['validate', 'plan', 'verify', 'status', 'output', 'logs', 'graph', 'history']
const looking = new RegExp(`-(${lookingCommands.join('|')})-\\d+\\.ndjson$`)

/** How many run logs are kept, of what looks and of the rest. */
const kept = { looking: 50, acting: 200 }

/**
 * Writes the events of a run to a file of its own in `folder`, readable by its owner only; the oldest beyond 50 go, of what
 * changes something those beyond 200.
 * A run must not fail for its log: a folder that cannot be written is told by `warn`.
 */
export function runLog(folder: string, name: string, warn: (text: string) => void): Reporter {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const stamp = new Date().toISOString().replaceAll(':', '-').replace(/\..*/, '')
    const { outlet, close } = newFile(join(folder, `${stamp}-${name}-${process.pid}.ndjson`))
    const all = readdirSync(folder)
      .filter((entry) => entry.endsWith('.ndjson'))
      .sort()
    const old = [
      ...all.filter((entry) => looking.test(entry)).slice(0, -kept.looking),
      ...all.filter((entry) => !looking.test(entry)).slice(0, -kept.acting),
    ]
    for (const entry of old) rmSync(join(folder, entry), { force: true })
    return { emit: jsonReporter(outlet).emit, close }
  } catch (error) {
    warn(`no log of this run can be kept in ${folder}: ${error instanceof Error ? error.message : error}`)
    return { emit() {}, close() {} }
  }
}
