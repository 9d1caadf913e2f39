import type { Failure } from '../engine/failure.ts'
import { finishedJson } from './clean.ts'
import { results, standard, streams } from './outlet.ts'
import { hangingLine, wrapText } from './wrap.ts'

/** Prints a text that is a result by itself: help, a status, a line of a log. */
export function print(text: string): void {
  results.write(text.endsWith('\n') ? text : `${text}\n`)
}

/** A line of a help for the terminal that gets it: what is explained, then the explanation. */
export const helpLine = (head: string, text: string): string => hangingLine(head, text, streams.out.columns)

/** Prints data that is a result by itself, as JSON: in one line, or indented. */
export function printJson(value: unknown, indent?: number): void {
  print(finishedJson(value, indent))
}

/** Prints a mistake of the call, which comes before there is a reporter. */
export function printFailure({ message, remedy, detail }: Failure): void {
  const prose = (text: string) => wrapText(text, standard.err.columns, 2).replaceAll('\n', '\n  ')
  const lines = [
    prose(`error: ${message}`),
    ...detail.map((line) => `  ${line}`),
    ...(remedy ? [prose(`  ${remedy}`)] : []),
  ]
  standard.err.write(`${lines.join('\n')}\n`)
}
