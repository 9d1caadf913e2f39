import { spawn } from 'node:child_process'

export { until } from '../support/wait.ts'

/** What a command left behind. */
export type Result = { readonly code: number; readonly stdout: string; readonly stderr: string }

export type RunOptions = {
  readonly input?: string | Buffer
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly timeoutMs?: number
}

/** Runs a program to its end; never throws for a non-zero exit code. Secrets go in by `input`, not by `args`. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' }),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const stderr = Buffer.concat(err).toString() + (signal === null ? '' : `\n(ended by ${signal})`)
      resolve({ code: code ?? 128, stdout: Buffer.concat(out).toString(), stderr })
    })
    // A program may end before it has read its input: that is its exit code's business, not an error here.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}

/** Like `run`, but a non-zero exit code is an error that carries the end of stderr. Answers stdout. */
export async function must(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(program, args, options)
  if (result.code === 0) return result.stdout
  const tail = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-15).join('\n')
  throw new Error(`lab: ${program} ${args.join(' ')} ended with code ${result.code}\n${tail}`)
}

/** Puts before a command what ends it when we end, whatever ends us: for servers and long builds. */
export const tether = ['setpriv', '--pdeathsig', 'KILL', '--'] as const
