import type { Failure } from '../../engine/failure.ts'
import { byLine, type Running, start } from '../process.ts'
import { isFrame, type Program, utf8 } from './program.ts'

/** What a program printed, a character for each byte. */
export interface ShellOutput {
  readonly stdout: string
  readonly stderr: string
}

export interface ExecOptions {
  /** Hears each line of output as it comes. */
  hear?(line: string): void
  /** What is under way, for the message when the connection breaks. */
  during?: string
  /** Seconds without any output after which to give up; 0: never. */
  idleTimeout?: number
  /** Seconds until its first output, where they are not `idleTimeout`. */
  loginTimeout?: number
  /** Told of its first output: by then the connection is there to be shared. */
  onFirstOutput?(): void
}

/**
 * A shell on the host that runs one program after another, given by its stdin: of a connection that is far away, each
 * costs one round trip. It ends when its stdin does, and so when we do.
 */
export class RemoteShell {
  readonly running: Running
  #said = { stdout: '', stderr: '' }
  #take: (stream: keyof ShellOutput, chunk: string) => void = () => {}
  #lose = () => {}
  #ended = false

  /** Starts the ssh of these words. */
  constructor(argv: readonly string[]) {
    const taking = (stream: keyof ShellOutput) => (chunk: string) => {
      this.#said[stream] += chunk
      this.#take(stream, chunk)
    }
    this.running = start(argv, { stdout: taking('stdout'), stderr: taking('stderr'), encoding: 'latin1' })
    void this.running.ended.then(() => {
      this.#ended = true
      this.#lose()
    })
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Tells of all that it prints from now on, while it has no program. */
  hear(hear: () => void): void {
    this.#take = hear
  }

  /**
   * Gives it a program, one at a time, and gives what that printed. Where the shell ends before, throws what `lost` makes
   * of what it printed by then.
   */
  exec(program: Program, options: ExecOptions, lost: (said: ShellOutput) => Failure): Promise<ShellOutput> {
    const { hear = () => {}, idleTimeout = 0, loginTimeout = idleTimeout, onFirstOutput = () => {} } = options
    const said = { stdout: '', stderr: '' }
    this.#said = said
    if (this.#ended) return Promise.reject(lost(said))
    return new Promise((resolve, reject) => {
      let clock: NodeJS.Timeout | undefined
      const listenNoMore = () => {
        clearTimeout(clock)
        this.#take = () => {}
      }
      const tick = () => {
        clearTimeout(clock)
        const seconds = said.stdout === '' ? loginTimeout : idleTimeout
        if (seconds === 0) return
        clock = setTimeout(() => {
          listenNoMore()
          said.stderr += `no answer for ${seconds} seconds`
          this.running.kill('SIGKILL')
        }, seconds * 1000)
      }
      let isHeard = !program.framed
      const lines = byLine((line) => {
        if (isFrame(line)) isHeard = true
        else if (isHeard) hear(utf8(line))
      })
      this.#take = (stream, chunk) => {
        if (stream === 'stdout' && said.stdout === chunk) onFirstOutput()
        tick()
        lines(chunk)
        if (program.complete(said.stdout, said.stderr)) {
          listenNoMore()
          this.#lose = () => {}
          resolve(said)
        } else if (program.died?.(said.stdout)) {
          listenNoMore()
          // The ssh that others share does not end by itself before they do.
          setTimeout(() => this.running.kill('SIGTERM'), 500)
        }
      }
      this.#lose = () => {
        clearTimeout(clock)
        reject(lost(said))
      }
      tick()
      this.running.write(program.source)
    })
  }
}
