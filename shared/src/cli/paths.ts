import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A path as the user means it: from where npm was called (it starts us in the workspace's folder), `~` the home folder. */
export function fromHere(path: string, env: Readonly<Record<string, string | undefined>>): string {
  return resolve(env.INIT_CWD ?? process.cwd(), path.replace(/^~(?=\/|$)/, homedir()))
}

/** Where the environment files are, and `.infra`: the repository's root, or `$INFRA_ROOT`. */
export function projectRoot(env: NodeJS.ProcessEnv): string {
  return env.INFRA_ROOT ? resolve(env.INFRA_ROOT) : resolve(dirname(fileURLToPath(import.meta.url)), '../../..')
}

/** The project's own folder: known hosts and run logs. Nothing in it is needed to know what is deployed. */
export function stateFolder(root: string): string {
  return join(root, '.infra')
}

/** Where the logs of runs are kept. */
export function runFolder(env: NodeJS.ProcessEnv): string {
  return join(stateFolder(projectRoot(env)), 'runs')
}
