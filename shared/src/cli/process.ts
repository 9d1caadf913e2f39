import { isatty } from 'node:tty'
import type { Emit, Event } from '../engine/events.ts'
import { exitCodes, Failure } from '../engine/failure.ts'
import { flushed } from '../report/flush.ts'
import { surviveClosedOutput, terminals } from '../report/outlet.ts'
import { printFailure } from '../report/print.ts'
import type { Reporter } from '../report/reporter.ts'
import { failureIn } from './in-environment.ts'
import type { Call } from './options.ts'
import { fromHere } from './paths.ts'
import { listenForSignals, type Signals } from './signals.ts'

/** Runs a whole command line, and ends the process with its exit code; what is thrown is a mistake of the call, `argv`. */
export async function endWith(run: () => Promise<number>, argv: readonly string[]): Promise<never> {
  surviveClosedOutput()
  // Node would print its message as it is.
  process.on('uncaughtException', (error) => {
    printFailure(asFailure(error))
    leave(exitCodes.error)
  })
  let exitCode: number
  try {
    exitCode = await run()
  } catch (error) {
    const failure = failureIn(asFailure(error), argv)
    printFailure(failure)
    exitCode = exitCodes[failure.kind]
  }
  await flushed()
  return leave(exitCode)
}

/**
 * Ends the process. Node aborts where its terminal was closed meanwhile, and leaves all that it knew in a core file: there
 * the process ends by the signal that a closed terminal sends.
 */
function leave(code: number): never {
  const { in: input, out, err } = terminals()
  if ([input, out, err].some((wasTerminal, fd) => wasTerminal && !isatty(fd))) {
    process.emit('exit', code)
    process.removeAllListeners('SIGHUP')
    process.kill(process.pid, 'SIGHUP')
  }
  process.exit(code)
}

/** Listens for signals, and follows by the events of a run what a signal would interrupt. Pass every event to `watch`. */
export function watchSignals(reporter: Reporter): { readonly signals: Signals; readonly watch: Emit } {
  let current: string | undefined
  const watch = (event: Event) => {
    if (event.type === 'lock.taken' || event.type === 'change.start') signals.hold()
    if (event.type === 'change.start' || event.type === 'work.start') current = event.say
    if (event.type === 'change.end' || event.type === 'work.end') current = undefined
  }
  const signals = listenForSignals({
    current: () => current,
    say: (text) => reporter.emit({ type: 'message', level: 'warn', text }),
    quit: (code) => {
      reporter.close()
      leave(code)
    },
  })
  return { signals, watch }
}

/** The files that options name, as the user means them. */
export function withPaths(call: Call, env: NodeJS.ProcessEnv): Call {
  const named = (['out', 'plan', 'junit', 'html', 'from-tfvars'] as const).flatMap((name) => {
    const path = call.options[name]
    return path === undefined ? [] : [[name, fromHere(path, env)]]
  })
  return { ...call, options: { ...call.options, ...Object.fromEntries(named) } }
}

/** A thrown thing as a failure; what is none is a defect of this program, told with its stack. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  return new Failure('error', `unexpected: ${message}`, {
    detail: (stack ?? '')
      .split('\n')
      .slice(1, 8)
      .map((line) => line.trim()),
    remedy: 'This is a defect of the tool, not of your environment.',
  })
}
