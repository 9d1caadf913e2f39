import type { Emit } from '../engine/events.ts'

/** Turns events into output. `close` ends what is still drawn. */
export interface Reporter {
  readonly emit: Emit
  close(): void
}

/** A reporter whose failure (a full disk) is told once by `warn` and ends it, instead of the run that it tells of. */
export function tolerant(reporter: Reporter, warn: (text: string) => void): Reporter {
  let broken = false
  const guard = (act: () => void) => {
    if (broken) return
    try {
      act()
    } catch (error) {
      broken = true
      warn(error instanceof Error ? error.message : String(error))
    }
  }
  return { emit: (event) => guard(() => reporter.emit(event)), close: () => guard(() => reporter.close()) }
}

/** One that tells several. */
export function combine(reporters: readonly Reporter[]): Reporter {
  return {
    emit: (event) => {
      for (const reporter of reporters) reporter.emit(event)
    },
    close: () => {
      for (const reporter of reporters) reporter.close()
    },
  }
}
