import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type WorkspaceSyntax, workspaceOptionsOf } from './options.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Whether this run is one of those that `npm run plan` or `deploy` at the root starts, one per workspace: turbo runs
 * them and tells its children by this variable.
 */
export const isRootRun = (env: Env): boolean => env.TURBO_HASH !== undefined

/** Options of one workspace that a run over all may be given: those that do not know them leave them to who does. */
const passedToAll = ['create', 'has-backup', 'prune']

/** The words of a call without options that are another workspace's. Unknown ones stay, and are refused. */
export function withoutOthersOptions(words: readonly string[], env: Env, syntax: WorkspaceSyntax): readonly string[] {
  if (!isRootRun(env)) return words
  const own = workspaceOptionsOf(syntax)
  return words.filter((word) => !passedToAll.some((name) => word === `--${name}` && !Object.hasOwn(own, name)))
}

/** Whether a workspace has an environment file, `.env.pod` or `.env.pod.NAME`; the file of all counts for each. */
export function hasEnvironment(root: string, workspace: string, environment: string | undefined): boolean {
  if (environment !== undefined) return existsSync(join(root, `.env.${workspace}.${environment}`))
  return existsSync(join(root, `.env.${workspace}`)) || existsSync(join(root, '.env'))
}

/** Whether any workspace has an environment file. Without one all is told by variables of the process, or nothing is. */
export function hasAnyEnvironment(root: string): boolean {
  return readdirSync(root).some((name) => /^\.env(\.(?!example$)|$)/.test(name))
}

/**
 * Whether another workspace goes before this one in the same run of the root: a run over all leaves out those that
 * have no environment.
 */
export const runsBefore = (env: Env, root: string, workspace: string, environment: string | undefined): boolean =>
  isRootRun(env) && (hasEnvironment(root, workspace, environment) || !hasAnyEnvironment(root))
