import type { Failure } from '../engine/failure.ts'
import { finishedJson } from './clean.ts'
import { results, standard } from './outlet.ts'

/** Prints a text that is a result by itself: help, a status, a line of a log. */
export function print(text: string): void {
  results.write(text.endsWith('\n') ? text : `${text}\n`)
}

/** Prints data that is a result by itself, as JSON: in one line, or indented. */
export function printJson(value: unknown, indent?: number): void {
  print(finishedJson(value, indent))
}

/** Prints a mistake of the call, which comes before there is a reporter. */
export function printFailure({ message, remedy, detail }: Failure): void {
  const lines = [`error: ${message}`, ...detail.map((line) => `  ${line}`), ...(remedy ? [`  ${remedy}`] : [])]
  standard.err.write(`${lines.join('\n')}\n`)
}
