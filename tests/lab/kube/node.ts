import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder } from '../cache.ts'
import { identify, isAlive, type ProcessId } from '../process-id.ts'
import { type Result, type RunOptions, run, until } from '../run.ts'

/** Namespaces in which the programs of one node run: all of them end with the first process. */
export type Node = {
  /** The process that ends when the first one has ended, and all others with it. */
  readonly launcher: ProcessId
  readonly leader: ProcessId
  /** Starts a server; what it says goes to `log/NAME` of the work folder. */
  start(name: string, program: string, args: readonly string[], env?: Readonly<Record<string, string>>): Server
  /** When all servers have ended, and what started them too: the last to go when the node is taken away. */
  ended(): Promise<unknown>
  /** Runs a program to its end, with the node's files, network and processes. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Result>
}

/** A server of the node. */
export type Server = {
  readonly name: string
  isRunning(): boolean
  /** Throws with the end of its log when it has ended. */
  assertRuns(): Promise<void>
  readonly ended: Promise<void>
  /** Ends it at once. */
  stop(): Promise<void>
}

type Desired = { readonly namespace: string; readonly cgroup: string; readonly work: string }

const script = fileURLToPath(new URL('node.sh', import.meta.url))
const apart = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private']
// A node covers these with its own, so what it needs from the machine may not be there.
const covered = ['/run', '/tmp', '/var/lib', '/var/log']

/** Opens a node in a network namespace that exists. Its files are in `work`. */
export async function openNode({ namespace, cgroup, work }: Desired): Promise<Node> {
  const hidden = covered.find((place) => work.startsWith(`${place}/`))
  if (hidden !== undefined)
    throw new Error(`lab: a Kubernetes node covers ${hidden}: set LAB_CACHE elsewhere (now ${cacheFolder()})`)
  await mkdir(join(work, 'log'), { recursive: true, mode: 0o700 })
  const enter = [`--net=/run/netns/${namespace}`, 'unshare', ...apart]
  const child = spawn('nsenter', [...enter, 'sh', script, work, cgroup], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
  })
  const said = await firstWords(child)
  if (said.trim() !== 'ready') throw new Error(`lab: the node did not open\n${said}`)
  child.unref()
  for (const pipe of [child.stdout, child.stderr]) pipe?.destroy()
  const launcher = identify(child.pid ?? -1)
  const leader = await firstChild(child.pid ?? -1)
  if (launcher === undefined || leader === undefined) throw new Error('lab: the node ended as soon as it was open')
  const servers: Server[] = []
  const inside = ['-t', String(leader.pid), '-m', '-n', '-p', '--']
  return {
    launcher,
    leader,
    ended: () => Promise.all(servers.map(({ ended }) => ended)),
    run: (program, args, options) => run('nsenter', [...inside, program, ...args], { cwd: '/', ...options }),
    start(name, program, args, env = {}) {
      const log = join(work, 'log', name)
      const output = openSync(log, 'a', 0o600)
      const child = spawn('nsenter', [...inside, program, ...args], {
        detached: true,
        stdio: ['ignore', output, output],
        cwd: '/',
        env: { PATH: process.env.PATH, ...env },
      })
      closeSync(output)
      child.unref()
      const server = control(name, child, log)
      servers.push(server)
      return server
    },
  }
}

function control(name: string, server: ChildProcess, log: string): Server {
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  const isRunning = () => server.exitCode === null && server.signalCode === null
  return {
    name,
    ended,
    isRunning,
    assertRuns: async () => {
      if (isRunning()) return
      throw new Error(`lab: ${name} ended with ${server.exitCode ?? server.signalCode}\n${await tail(log)}`)
    },
    stop: async () => {
      // nsenter waits for the program, which is its only child.
      const program = server.pid === undefined ? undefined : await firstChild(server.pid)
      if (program !== undefined && isAlive(program)) process.kill(program.pid, 'SIGKILL')
      await ended
    },
  }
}

const firstChild = (pid: number): Promise<ProcessId | undefined> =>
  until(`a child of ${pid}`, 5000, async () => {
    if (identify(pid) === undefined) return null
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
    const first = Number(children.trim().split(' ')[0])
    return first > 0 ? identify(first) : undefined
  }).then((found) => found ?? undefined)

function firstWords(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let errors = ''
    child.stderr?.on('data', (data) => {
      errors += data
    })
    child.stdout?.once('data', (data) => resolve(String(data)))
    child.once('close', () => resolve(errors))
    child.once('error', reject)
  })
}

/** The last lines of a log. */
export const tail = async (log: string): Promise<string> =>
  existsSync(log) ? (await readFile(log, 'utf8')).trim().split('\n').slice(-15).join('\n') : ''
