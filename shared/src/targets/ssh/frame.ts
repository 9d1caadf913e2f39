import { writeSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { quote } from '../../command/sh.ts'
import type { Outlet, Running, Streams } from '../process.ts'
import { makeMark } from './program.ts'

/** How a program is framed. */
export interface Framing {
  /** In a `sh` of its own, or in whichever shell the user logs in with. */
  readonly by: 'sh' | 'any shell'
  /** Whether stderr is framed as well: not where a program of this machine, which begins earlier, complains on it too. */
  readonly stderr: boolean
}

/** Puts a mark before what a line of shell prints. */
function marked(line: string, mark: string, { by, stderr }: Framing): string {
  const print = `printf '\\n%s\\n' ${mark}`
  const whole = `${print}; ${stderr ? `${print} >&2; ` : ''}${line}`
  return by === 'sh' ? `sh -c ${quote(whole)}` : whole
}

/**
 * Starts a program on a host so that nothing counts as its output but its output: a login shell's startup file may print
 * as well (`echo welcome` in `.bashrc`, a complaint about a locale). All before the mark is left out, or handed to stderr
 * of a program that never came to it. `begin` starts the line that it is given, with these streams.
 */
export function startFramed(
  line: string,
  streams: Streams,
  framing: Framing,
  begin: (line: string, streams: Streams) => Running,
): Running {
  const mark = makeMark()
  let failed = false
  const fail = () => {
    failed = true
    running.kill('SIGTERM')
  }
  const errors = byteSink(streams.stderr, 2, streams.encoding, fail)
  const out = afterMark(mark, byteSink(streams.stdout, 1, streams.encoding, fail))
  const err = framing.stderr ? afterMark(mark, errors) : { take: errors, held: () => '' }
  const running = begin(marked(line, mark, framing), {
    ...streams,
    stdout: out.take,
    stderr: err.take,
    encoding: 'latin1',
  })
  const ended = running.ended.then((code) => {
    for (const held of [out.held(), err.held()]) if (held !== '') errors(held)
    return failed ? code || 255 : code
  })
  return { ...running, ended }
}

/** Passes on what comes after the mark; `held` is what came instead of it. */
function afterMark(mark: string, sink: (bytes: string) => void) {
  const whole = `\n${mark}\n`
  let held: string | undefined = ''
  const take = (bytes: string) => {
    if (held === undefined) return sink(bytes)
    held += bytes
    const at = held.indexOf(whole)
    if (at < 0) return
    const rest = held.slice(at + whole.length)
    held = undefined
    if (rest !== '') sink(rest)
  }
  return { take, held: () => held ?? '' }
}

/** Where bytes go, a character each: to whoever hears text, or into a file. `fail` is told of one that takes no more. */
function byteSink(to: Outlet, own: 1 | 2, encoding: Streams['encoding'], fail: () => void): (bytes: string) => void {
  if (typeof to === 'function') {
    if (encoding === 'latin1') return to
    const decoder = new StringDecoder('utf8')
    return (bytes) => to(decoder.write(Buffer.from(bytes, 'latin1')))
  }
  let isOpen = true
  return (bytes) => {
    if (!isOpen) return
    try {
      writeAll(to === 'inherit' ? own : to, Buffer.from(bytes, 'latin1'))
    } catch {
      isOpen = false
      fail()
    }
  }
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(file, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      // A pipe whose reader is slow.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}
