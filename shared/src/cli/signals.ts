import { exitCodes } from '../engine/failure.ts'

export interface Signals {
  /** From here on a signal waits for the change that is under way. */
  hold(): void
  /** All changes are made: from here on a signal ends the run at once again. */
  release(): void
  /** Whether the user asked to stop. */
  stopping(): boolean
  /** The exit code of the signal that came; undefined when none did. */
  code(): number | undefined
  close(): void
}

interface SignalOptions {
  /** What is being changed just now. */
  current(): string | undefined
  say(text: string): void
  /** Ends the process. */
  quit(code: number): void
}

/** The exit code of a run that a signal ended. */
export const signalCode = (signal: NodeJS.Signals): number => codes[signal as keyof typeof codes]

const codes = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated, SIGHUP: exitCodes.terminated } as const

/**
 * The first Ctrl-C (or SIGTERM) lets the change under way finish and then stops; the second stops at once and says what
 * is uncertain. While nothing is being changed the first one ends the run.
 */
export function listenForSignals({ current, say, quit }: SignalOptions): Signals {
  let held = false
  let changing = false
  let code: number | undefined
  const handle = (signal: NodeJS.Signals) => {
    const before = code
    code ??= signalCode(signal)
    const change = current()
    if (!held) {
      say(changing ? 'stopped; all changes were made' : 'stopped; nothing was changed')
      quit(code)
    } else if (before === undefined) {
      say(
        `stopping: ${change ? `finishing "${change}" first` : 'after the current question'}; once more to stop at once`,
      )
    } else {
      const doubt = change ? `"${change}" may be done, half done or not done` : 'no change was under way'
      say(`stopped at once: ${doubt}. Run the same command again: it checks the current state first.`)
      quit(code)
    }
  }
  for (const signal of Object.keys(codes) as NodeJS.Signals[]) process.on(signal, handle)
  return {
    hold: () => {
      held = true
      changing = true
    },
    release: () => {
      held = false
    },
    stopping: () => code !== undefined,
    code: () => code,
    close: () => {
      for (const signal of Object.keys(codes) as NodeJS.Signals[]) process.off(signal, handle)
    },
  }
}
