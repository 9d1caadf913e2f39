import { AsyncLocalStorage } from 'node:async_hooks'
import { appendFileSync, closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { finished, finishedJson, own } from './clean.ts'

/** What bytes go to: a stream of the process, a string in a test. */
export interface Sink {
  write(text: string): unknown
  readonly columns?: number | undefined
}

/** The only way out of this program: what it writes is printable and free of secrets. Made in this file alone. */
export interface Outlet {
  write(text: string): void
  /** One line of JSON. */
  json(value: object): void
  /** The width of the terminal, where it is one. */
  readonly columns: number | undefined
  readonly [brand]: true
}
declare const brand: unique symbol

/** An outlet to a stream. */
export function outletTo(sink: Sink): Outlet {
  const outlet: Omit<Outlet, typeof brand> = {
    write: (text) => void sink.write(finished(text)),
    json: (value) => void sink.write(`${finishedJson(value)}\n`),
    get columns() {
      return sink.columns
    },
  }
  return outlet as Outlet
}

const { stdout, stderr, stdin } = process

/** The outlets of the process. */
export const standard: { readonly out: Outlet; readonly err: Outlet } = { out: outletTo(stdout), err: outletTo(stderr) }

const capture = new AsyncLocalStorage<(text: string) => void>()

/** Does some work whose results, as commands print them, go to `take` instead of stdout, cleaned already. */
export const withResults = <T>(take: (text: string) => void, work: () => Promise<T>): Promise<T> =>
  capture.run(take, work)

/** Where a command prints what is its result by itself. */
export const results: Outlet = outletTo({ write: (text) => (capture.getStore() ?? toStdout)(text) })
const toStdout = (text: string) => void stdout.write(text)

/** Which of its streams are terminals. */
export const terminals = () => ({
  in: stdin.isTTY === true,
  out: stdout.isTTY === true,
  err: stderr.isTTY === true,
})

/** The streams themselves, for who asks what they can do or waits for them. Nothing is written to them. */
export const streams = { out: stdout, err: stderr } as const

/** Where prompts are drawn: what they ask is to be cleaned before. */
export const promptStream = stderr

/** Adds to the end of a file, which is made where there is none. */
export const appendingTo = (path: string): Outlet => outletTo({ write: (text) => appendFileSync(path, text) })

/** A new file that only its owner can read. Throws where it is there already. */
export function newFile(path: string): { readonly outlet: Outlet; close(): void } {
  const file = openSync(path, 'wx', 0o600)
  return { outlet: outletTo({ write: (text) => writeSync(file, text) }), close: () => closeSync(file) }
}

/** Writes a file anew; one that is made is readable by its owner only. */
export function saveTo(path: string, text: string): void {
  writeFileSync(path, finished(text), { mode: 0o600 })
}

/**
 * Writes to stdout as it is, secrets included: for commands whose promise is just that. Who may call it is in
 * `tests/unit/project/output.test.ts`.
 */
export function printOpenly(text: string): void {
  stdout.write(`${text}\n`)
}

/**
 * Has GitHub's runner hide a secret in the job's log: it does not show these lines either. To stderr, beside results. Not
 * on a terminal: nobody hides anything there.
 */
export function maskForRunner(value: string): void {
  if (stderr.isTTY) return
  for (const line of value.split('\n').filter((one) => one.trim() !== ''))
    stderr.write(`::add-mask::${line.replaceAll('%', '%25').replaceAll('\r', '%0D')}\n`)
}

/** A reader that went away (`| head`) must not end a run in the middle of a change. */
export function surviveClosedOutput(): void {
  for (const stream of [stdout, stderr]) stream.on('error', () => {})
}

/** Calls back when the reader of stdout went away. */
export const onClosedOutput = (stop: () => void): void => void stdout.once('error', stop)

/** Takes the line back to its start and erases it. */
export const redraw = own('\r\u001b[K')
