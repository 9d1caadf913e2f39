import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../engine/failure.ts'
import { variablesOf } from '../../env/variable.ts'
import { terminals } from '../../report/outlet.ts'
import type { Entry } from '../help.ts'
import type { Options } from '../options.ts'
import { firstFile, readEnv } from '../session.ts'
import type { Workspace } from '../workspace.ts'

/** A workspace in a run over all of them. */
export interface Member {
  readonly entry: Entry
  readonly workspace: Workspace
}

export interface Members {
  /** Those that take part, in order. */
  readonly running: readonly Member[]
  /** The names of the others. */
  readonly unconfigured: readonly string[]
}

interface Choice {
  readonly root: string
  readonly processEnv: NodeJS.ProcessEnv
  readonly options: Options
  /** Where nothing is configured, sample values will do. */
  readonly samples: boolean
}

/**
 * Chooses the workspaces that are configured. Where none is, a plan is made of sample values for whoever sits at a terminal
 * or asks for it with `--offline`; elsewhere that throws, so that a job that lost its secrets does not pass for a good one.
 */
export async function chooseMembers(entries: readonly Entry[], choice: Choice): Promise<Members> {
  const all = await Promise.all(
    entries.map(async (entry): Promise<Member> => ({ entry, workspace: (await entry.load()).default })),
  )
  const running = all.filter(({ workspace }) => isConfigured(workspace, all, choice))
  if (running.length > 0) {
    const names = new Set(running.map(({ workspace }) => workspace.name))
    const unconfigured = all.map(({ workspace }) => workspace.name).filter((name) => !names.has(name))
    return { running, unconfigured }
  }
  const { options, processEnv, samples } = choice
  const isWatched = terminals().err && !processEnv.CI
  if (samples && options.env === undefined && (options.offline || isWatched)) return { running: all, unconfigured: [] }
  const files = all.map(({ workspace }) => fileOf(workspace, options.env)).join(', ')
  const look = samples ? ' A plan of sample values: -- --offline.' : ''
  throw new Failure('error', `no workspace is configured: none of ${files} exists`, {
    remedy: `${processEnv.CI ? 'Give the job its variables and secrets (docs/ci.md).' : toBegin((all[0] as Member).workspace, options.env)}${look}`,
  })
}

/** What makes the first file of a workspace. */
function toBegin(workspace: Workspace, environment: string | undefined): string {
  const file = fileOf(workspace, environment)
  return `${firstFile(workspace.name, environment)} makes ${file} with its secrets; fill in the rest.`
}

const fileOf = ({ name }: Workspace, environment: string | undefined) =>
  `.env.${name}${environment === undefined ? '' : `.${environment}`}`

/** Whether a workspace has a file of its own, or a variable that is its alone is set in the file of all or in the process. */
function isConfigured(workspace: Workspace, all: readonly Member[], { root, processEnv, options }: Choice): boolean {
  if (existsSync(join(root, fileOf(workspace, options.env)))) return true
  if (options.env !== undefined) return false
  const others = new Set(
    all
      .filter((other) => other.workspace !== workspace)
      .flatMap((other) => variablesOf(other.workspace.schema).map(({ name }) => name)),
  )
  const { given } = readEnv({ workspace, root, processEnv, options }, 'plan')
  // A job passes what it lost as an empty variable: that workspace must fail, and not be left out.
  const isGiven = (name: string) => given.has(name) || Boolean(processEnv.CI && processEnv[name] !== undefined)
  return variablesOf(workspace.schema).some(({ name, meta }) => !meta.common && !others.has(name) && isGiven(name))
}
