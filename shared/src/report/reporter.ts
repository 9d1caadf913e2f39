import type { Emit } from '../engine/events.ts'

/** Where a reporter writes: a stream of the process, or a string in a test. */
export interface Sink {
  write(text: string): void
}

/** Turns events into output. `close` ends what is still drawn. */
export interface Reporter {
  readonly emit: Emit
  close(): void
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
