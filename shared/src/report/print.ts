import type { Failure } from '../engine/failure.ts'

/** Prints a text that is a result by itself: help, export lines. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

/** Prints a mistake of the call, which comes before there is a reporter. */
export function printFailure({ message, remedy, detail }: Failure): void {
  const lines = [`error: ${message}`, ...detail.map((line) => `  ${line}`), ...(remedy ? [`  ${remedy}`] : [])]
  process.stderr.write(`${lines.join('\n')}\n`)
}
