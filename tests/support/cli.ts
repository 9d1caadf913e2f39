import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How a run of the command line ended, and all it printed. */
export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

/** A run under way. */
export interface CliRun {
  readonly pid: number
  /** What it printed so far, on both streams. */
  said(): string
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<CliResult>
}

export interface CliOptions {
  /** The folder of the environment files and of `.infra`: never the project's own. */
  readonly root: string
  /** More variables; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** A file to run instead of the workspace's own: `pod/scripts/30-postgresql.ts`. */
  readonly file?: string
  /** Words before those of the run, which start it in their turn: `['unshare', '-m']`. */
  readonly within?: readonly string[]
  /** Its scripts give their steps in another order that their dependencies allow: the last first, or by a seed. */
  readonly shuffle?: 'last' | number
  /** Its output goes straight to our terminal, and Ctrl-C there is left to us. */
  readonly live?: boolean
}

/** The folder of the project. */
export const project = join(import.meta.dirname, '../..')

/** What starts a TypeScript file on any Node that is supported: `node run.mjs FILE.ts`. */
export const launcher = join(project, 'run.mjs')

// Has it run the scripts of a workspace in another order.
const shuffler = join(import.meta.dirname, 'shuffle-scripts.ts')

// What of our own environment would change a run: settings of the product, npm's traces, CI.
const foreign =
  /^(npm_|VALENCE_|SYNAPSE_|LETSENCRYPT_|NGINX_|ACME_|OPENAI_|ANTHROPIC_|ANSIBLE_|AWS_|CLUSTER_|STOAT_|DISCORD_|LITELLM_|BOT_|DIGITALOCEAN_|DO_|GITHUB_|TURBO_|INFRA_|CI$|VITEST|NODE_OPTIONS$|FORCE_COLOR$|NO_COLOR$)/

/** Our environment without what would change a run. */
export function plainEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
}

/** What runs the command line: the Node of the tests, unless a suite of the lab is given another (`tests/lab/cli-node.ts`). */
export const cliNode = { path: process.execPath }

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts the real command line of a workspace as a process of its own, off a terminal. */
export function startCli(workspace: string, args: readonly string[], options: CliOptions): CliRun {
  const { file = `${workspace}/cli.ts`, within = [], shuffle } = options
  const shuffling = shuffle === undefined ? [] : [shuffler, workspace, String(shuffle)]
  return runWords([...within, cliNode.path, launcher, ...shuffling, join(project, file), ...args], options)
}

function runWords(words: readonly string[], { root, env, live = false }: CliOptions): CliRun {
  const began = performance.now()
  const child = spawn(words[0] as string, words.slice(1), {
    cwd: project,
    env: { ...plainEnv(), INFRA_ROOT: root, ...env },
    stdio: live ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    detached: live,
  })
  running.add(child)
  const printed = { stdout: '', stderr: '', all: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text
      printed.all += text
    })
  }
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      running.delete(child)
      const { stdout, stderr } = printed
      const ms = Math.round(performance.now() - began)
      const left = takeTemporary(child.pid ?? 0, env?.TMPDIR ?? tmpdir())
      if (signal === null && left.length > 0) reject(new Error(`${words.join(' ')} left ${left.join(', ')}`))
      resolve({ code: code ?? 128, stdout, stderr: signal ? `${stderr}\n(ended by ${signal})` : stderr, ms })
    })
  })
  return { pid: child.pid ?? 0, said: () => printed.all, kill: (signal) => child.kill(signal), ended }
}

/** Takes away what a run that has ended left among temporary files: nothing, unless it was killed. */
function takeTemporary(pid: number, folder: string): readonly string[] {
  const left = readdirSync(folder).filter((name) => name.startsWith(`infra-${pid}-`))
  for (const name of left) rmSync(join(folder, name), { recursive: true, force: true })
  return left
}

/** Runs the real command line of a workspace to its end: `runCli('pod', ['plan'], { root })`. */
export function runCli(workspace: string, args: readonly string[], options: CliOptions): Promise<CliResult> {
  return startCli(workspace, args, options).ended
}

/** Runs a command of all workspaces to its end, as it is typed at the root: `npm run plan -- --offline`. */
export function runAtRoot(command: string, args: readonly string[], options: CliOptions): Promise<CliResult> {
  return runWords(['npm', 'run', '-s', command, '--', ...args], options).ended
}

/** The same by turbo, a process for each workspace: `npx turbo run plan -- --offline`. */
export function runTurbo(command: string, args: readonly string[], options: CliOptions): Promise<CliResult> {
  const env = { TURBO_TELEMETRY_DISABLED: '1', ...options.env }
  return runWords(['npx', 'turbo', 'run', command, '--', ...args], { ...options, env }).ended
}
