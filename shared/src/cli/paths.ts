import { existsSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure } from '../engine/failure.ts'
import { readText } from '../env/read-text.ts'

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

/** The commit of this checkout, as its first 12 digits; undefined where it is none of git's. */
export function commit(): string | undefined {
  const folder = resolve(dirname(fileURLToPath(import.meta.url)), '../../../.git')
  try {
    const read = (name: string) => readText(join(folder, name)).trim()
    const head = read('HEAD')
    const ref = /^ref: (.+)$/.exec(head)?.[1]
    if (ref === undefined) return head.slice(0, 12)
    if (existsSync(join(folder, ref))) return read(ref).slice(0, 12)
    return read('packed-refs')
      .split('\n')
      .find((line) => line.endsWith(` ${ref}`))
      ?.slice(0, 12)
  } catch {
    return undefined // an archive, or a worktree
  }
}
