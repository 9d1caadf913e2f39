import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure } from '../engine/failure.ts'

/** A path as the user means it: from where npm was called (it starts us in the workspace's folder), `~` the home folder. */
export function fromHere(path: string, env: Readonly<Record<string, string | undefined>>): string {
  return resolve(env.INIT_CWD ?? process.cwd(), path.replace(/^~(?=\/|$)/, homedir()))
}

/** Where the environment files are, and `.infra`: the repository's root, or `$INFRA_ROOT`, which must be there. */
export function projectRoot(env: NodeJS.ProcessEnv): string {
  if (!env.INFRA_ROOT) return resolve(dirname(fileURLToPath(import.meta.url)), '../../..')
  const root = resolve(env.INFRA_ROOT)
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory()) return root
  throw new Failure('usage', `INFRA_ROOT=${env.INFRA_ROOT} is not a folder`, {
    remedy: 'It holds the environment files: make it, or unset INFRA_ROOT.',
  })
}

/** The project's own folder: known hosts and run logs. Nothing in it is needed to know what is deployed. */
export function stateFolder(root: string): string {
  return join(root, '.infra')
}

/** Where the logs of runs are kept. */
export function runFolder(env: NodeJS.ProcessEnv): string {
  return join(stateFolder(projectRoot(env)), 'runs')
}
