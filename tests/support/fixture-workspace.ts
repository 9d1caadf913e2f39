import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { launcher } from './cli.ts'
import { tempFolder } from './temp.ts'

/** The password of {@link place}: must show nowhere but in the note that holds it. */
export const sentinel = 'Xk9sentinel-Qz7Lw3mTr'

/** A project root with an environment, and the folder that is deployed to. */
export interface Place {
  readonly root: string
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
}

/** A new root; `configured: false` leaves it without an environment file. */
export function place({ configured = true, trouble = 'none' } = {}): Place {
  const root = tempFolder()
  const folder = join(root, 'host')
  mkdirSync(folder)
  const text = `FIXTURE_FOLDER=${folder}\nFIXTURE_PASSWORD=${sentinel}\nFIXTURE_TROUBLE=${trouble}\n`
  if (configured) writeFileSync(join(root, '.env.fixture'), text, { mode: 0o600 })
  return { root, folder, env: { ...bare(), INFRA_ROOT: root } }
}

/** The environment without what would change how a run talks: CI, colours, npm, and our own variables. */
export function bare(): NodeJS.ProcessEnv {
  const ours =
    /^(npm_|CI$|GITHUB_|NO_COLOR|FORCE_COLOR|TURBO|NODE_OPTIONS|VITEST|FIXTURE_|(LEFT|MIDDLE|RIGHT)_|VALENCE_|SYNAPSE_|INFRA_)/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command line that is under way. */
export interface RunningCli {
  readonly ended: Promise<Ran>
  kill(signal: NodeJS.Signals): void
  /** Resolves when this was printed on either stream. */
  until(text: string): Promise<void>
}

const source = (path: string) => join(import.meta.dirname, path)

const bundles = new Map<string, string>()

/** A command line of `fixture` as one file: to load the sources takes a second of each run. */
export function bundled(name: 'cli' | 'trio' = 'cli'): string {
  const known = bundles.get(name)
  if (known) return known
  const folder = tempFolder()
  const require = "import{createRequire as requireOf}from'node:module';const require=requireOf(import.meta.url);"
  execFileSync(source('../../node_modules/.bin/esbuild'), [
    source(`fixture/${name}.ts`),
    ...['--bundle', '--splitting', '--platform=node', '--format=esm', '--log-level=warning'],
    ...[`--outdir=${folder}`, '--out-extension:.js=.mjs', `--banner:js=${require}`],
  ])
  const bundle = join(folder, `${name}.mjs`)
  bundles.set(name, bundle)
  return bundle
}

/** Starts the real command line of the fixture workspace as a child process; a script of it by its source. */
export function startCli({ env }: Pick<Place, 'env'>, args: readonly string[], script?: string): RunningCli {
  return startProgram(script === undefined ? [bundled()] : [launcher, source(script)], args, env)
}

/** Starts the command line of the three workspaces at once. */
export const startTrio = ({ env }: Pick<Place, 'env'>, args: readonly string[]): RunningCli =>
  startProgram([bundled('trio')], args, env)

function startProgram(program: readonly string[], args: readonly string[], env: NodeJS.ProcessEnv): RunningCli {
  const child = spawn(process.execPath, [...program, ...args], {
    env,
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  const waiting: (() => void)[] = []
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      said[name] += chunk
      for (const look of waiting) look()
    })
  }
  const ended = new Promise<Ran>((resolve) => {
    child.on('close', (code) => resolve({ code, ...said }))
  })
  return {
    ended,
    kill: (signal) => void child.kill(signal),
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = () => (said.stdout + said.stderr).includes(text) && resolve()
        waiting.push(look)
        look()
        void ended.then(({ code, stderr }) => reject(new Error(`ended with ${code} before "${text}": ${stderr}`)))
      }),
  }
}

/** Runs it to its end. */
export function cli(where: Place, ...args: string[]): Promise<Ran> {
  return startCli(where, args).ended
}
