import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readText } from '../env/read-text.ts'
import { print, printJson } from '../report/print.ts'
import { lookingCommands } from '../report/run-log.ts'
import { duration } from '../report/style.ts'
import { tableLines } from '../report/table.ts'
import type { Call } from './options.ts'
import { runFolder } from './paths.ts'

/** A run that changed something, or could have. */
interface Past {
  readonly began: string
  readonly workspace: string
  readonly command: string
  readonly environment?: string
  readonly by?: string
  readonly commit?: string
  /** Left out where it never ended: it was killed. */
  readonly exitCode?: number
  readonly made?: number
  readonly ms?: number
}

/** `history`: who ran what from this checkout, of what changes something; the newest last. */
export async function showHistory({ options }: Call): Promise<number> {
  const folder = runFolder(process.env)
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.ndjson')) : []
  const runs = files.sort().flatMap((name) => pastOf(readText(join(folder, name))))
  if (options.json) printJson(runs, 2)
  else if (runs.length === 0) print('nothing was deployed from this checkout yet')
  else print(tableLines([heads, ...runs.map(rowOf)]).join('\n'))
  return 0
}

const heads = ['when', 'workspace', 'command', 'result', 'changes', 'time', 'commit', 'by']

function rowOf({ began, workspace, command, environment, by = '', commit = '', exitCode, made, ms }: Past): string[] {
  const result = exitCode === undefined ? 'never ended' : exitCode === 0 ? 'ok' : `exit ${exitCode}`
  const name = environment === undefined ? workspace : `${workspace} (${environment})`
  const time = ms === undefined ? '' : duration(ms)
  return [
    began.slice(0, 16).replace('T', ' '),
    name,
    command,
    result,
    made === undefined ? '' : String(made),
    time,
    commit,
    withoutPid(by),
  ]
}

/** Who it was, for a table: the process is long gone. `--json` has it. */
export const withoutPid = (by: string): string => by.replace(/ pid \d+$/, '')

/** A log as the run that it is of; none for what only looked, and for what cannot be read. */
function pastOf(log: string): Past[] {
  const events = log
    .split('\n')
    .filter((line) => /"type":"run\.(start|end)"/.test(line))
    .flatMap((line) => {
      try {
        return [JSON.parse(line)]
      } catch {
        return [] // it was cut off
      }
    })
  const start = events.find(({ type }) => type === 'run.start')
  if (!start || lookingCommands.includes(start.command)) return []
  const { timestamp, workspace, command, environment, by, commit } = start
  const { exitCode, made, ms } = events.find(({ type }) => type === 'run.end') ?? {}
  return [{ began: timestamp, workspace, command, environment, by, commit, exitCode, made, ms }]
}
