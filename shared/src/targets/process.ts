import { PassThrough, type Readable, type Writable } from 'node:stream'
import { $, type ProcessPromise } from 'zx/core'
import { quote } from '../command/sh.ts'
import { childEnv } from './child-env.ts'
import { processIdentity, runVariable } from './run-identity.ts'

/** A child process that is under way. */
export interface Running {
  write(data: string): void
  /** Closes its stdin. */
  end(): void
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
  /** Resolves when it has ended, whatever its exit code; 127 when the program is not there. */
  readonly ended: Promise<number>
}

/** Where a stream of a program goes: to whoever hears it, to the same stream of this process, or straight into an open file. */
export type Outlet = ((chunk: string) => void) | 'inherit' | number

export interface Streams {
  /** Open for `write` and `end` unless told. */
  stdin?: 'inherit'
  stdout: Outlet
  stderr: Outlet
  /** What is heard of them: text; or with `latin1` bytes, a character each. */
  encoding?: 'latin1'
}

interface StartOptions extends Streams {
  /** More than what every program gets of our environment (`childEnv`); undefined takes a variable away. */
  env?: Readonly<Record<string, string | undefined>>
  /** In our own process group: it may use our terminal, and Ctrl-C reaches it too. */
  foreground?: boolean
}

/**
 * Starts a program by zx, its stdin open. It gets a process group of its own, so that Ctrl-C on the terminal reaches
 * us and not what is in the middle of a change; when we die its stdin closes.
 */
export function start(argv: readonly string[], options: StartOptions): Running {
  return startLine(`exec ${argv.map(quote).join(' ')}`, options)
}

/** The same for a line of POSIX shell. */
export function startLine(line: string, options: StartOptions): Running {
  const { child, ended } = spawn(line, options)
  return {
    write: (data) => void child.stdin?.write(data),
    end: () => void child.stdin?.end(),
    kill: (signal) => void child.kill(signal),
    ended,
  }
}

/** A child process whose streams are bytes: who writes to it or reads from it waits for the slower side. */
export interface ByteProcess {
  readonly stdin: Writable
  /** Must be read to its end. */
  readonly stdout: Readable
  /** The end of what it said on stderr so far. */
  said(): string
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
  /** Resolves when it has ended, whatever its exit code. */
  readonly ended: Promise<number>
}

/** Starts a line of POSIX shell whose streams are bytes. */
export function startBytes(line: string, options: Pick<StartOptions, 'env' | 'foreground'> = {}): ByteProcess {
  let said = ''
  const stderr = (chunk: string) => {
    said = (said + chunk).slice(-20_000)
  }
  const bytes = new PassThrough()
  const { child, ended } = spawn(line, { ...options, stdout: bytes, stderr })
  // What it is given is lost with it: its exit code tells.
  const stdin = child.stdin ?? new PassThrough()
  return { stdin, stdout: bytes, said: () => said, kill: (signal) => void child.kill(signal), ended }
}

/**
 * Runs a line of POSIX shell on this machine to its end, feeding it `input`; nothing of one that is rejected. With
 * `timeoutSeconds` it is ended after so long, with all that it started: exit code 124, and stderr says so.
 */
export async function runLocal(
  line: string,
  input: string | Promise<string>,
  env: StartOptions['env'] = {},
  hear: (line: string) => void = () => {},
  timeoutSeconds?: number,
): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = ''
  let stderr = ''
  const lines = byLine(hear)
  const { child, ended } = spawn(line, {
    env,
    stdout: (chunk) => {
      stdout += chunk
      lines(chunk)
    },
    stderr: (chunk) => {
      stderr += chunk
      lines(chunk)
    },
  })
  void Promise.resolve(input).then(
    (text) => child.stdin?.end(text),
    () => child.stdin?.end(),
  )
  if (timeoutSeconds === undefined) return { code: await ended, stdout, stderr }
  let late = false
  const timer = setTimeout(() => {
    late = true
    // It leads a group of its own.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }, timeoutSeconds * 1000)
  const code = await ended
  clearTimeout(timer)
  return late
    ? { code: 124, stdout, stderr: `${stderr}no answer within ${timeoutSeconds} seconds\n` }
    : { code, stdout, stderr }
}

/** Cuts a stream of chunks into lines; an unfinished last line is kept until it is finished. */
export function byLine(hear: (line: string) => void): (chunk: string) => void {
  let rest = ''
  return (chunk) => {
    const lines = (rest + chunk).split(/\r?\n|\r/)
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') hear(line)
  }
}

// zx would keep all that a program prints until it ends; who wants it has heard it.
const forget = (): [] => Object.assign([] as [], { push: () => 0 })

type SpawnOptions = Omit<StartOptions, 'stdout'> & { readonly stdout: Outlet | PassThrough }

function spawn(line: string, { env, stdin, stdout, stderr, encoding, foreground = false }: SpawnOptions) {
  const outlet = (to: Outlet | PassThrough) => (typeof to === 'function' || to instanceof PassThrough ? 'pipe' : to)
  const shell = $({
    shell: '/bin/sh',
    prefix: '',
    postfix: '',
    quote: String, // the line is quoted already, by our own template
    detached: !foreground,
    stdio: [stdin ?? 'pipe', outlet(stdout), outlet(stderr)],
    store: { stdout: forget(), stderr: forget(), stdall: forget() },
    nothrow: true,
    quiet: true,
    env: { ...childEnv(process.env), [runVariable]: processIdentity(), ...env },
  })
  const running: ProcessPromise = shell`${line}`
  const child = running.run().child
  if (!child) throw new Error('zx started no child')
  if (typeof stdout === 'function') child.stdout?.setEncoding(encoding ?? 'utf8').on('data', stdout)
  if (stdout instanceof PassThrough) child.stdout?.pipe(stdout)
  if (typeof stderr === 'function') child.stderr?.setEncoding(encoding ?? 'utf8').on('data', stderr)
  // Writing to a program that is gone changes nothing: its exit code tells.
  child.stdin?.on('error', () => {})
  return { child, ended: codeOf(running) }
}

async function codeOf(running: ProcessPromise): Promise<number> {
  const { exitCode } = await running
  return exitCode ?? 255
}
