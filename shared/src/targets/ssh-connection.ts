import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { quote } from '../command/sh.ts'
import type { Failure } from '../engine/failure.ts'
import { byLine, type Running, type Streams, start, startLine } from './process.ts'
import { sshFailure } from './ssh-errors.ts'
import { isFrame, type Program, questionProgram } from './ssh-program.ts'

export interface SshAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly keyFile: string | undefined
  /** A file of the project's own, so that a changed host key stops the run whatever else the user trusts. */
  readonly knownHosts: string
}

/** A session on the host, and what it printed so far. Its stdin stays open: when we close it, or die, the host notices. */
export interface Session {
  stdout: string
  stderr: string
  readonly running: Running
}

/** A program of the user's choice on the host, with streams of its own. */
export interface Attachment extends Streams {
  /** A line of shell; nothing: the login shell. */
  line?: string | undefined
  /** Who runs it: root, by sudo where another logs in; or whoever logs in. */
  as: 'root' | 'login'
  /** With a terminal on the host. */
  terminal?: boolean
  /** Within our process group: a program that uses our own terminal. */
  foreground?: boolean
  /** A line of shell on this machine whose output it reads. */
  from?: string
}

interface Conversation {
  /** Hears each line of output as it comes. */
  hear?(line: string): void
  /** What is under way, for the message when the connection breaks. */
  during?: string
  /** Seconds without any output after which to give up; 0: never. */
  silence?: number
  /** Told of its first output: by then the connection is there to be shared. */
  begun?(): void
}

interface Remote {
  readonly terminal: boolean
  /** Nothing: the login shell. */
  readonly run: string | undefined
}

/**
 * One connection by the system's OpenSSH. The first program rides on the session that opens it, so that a run with
 * nothing to change costs one ssh process and one round trip; what follows shares it (ControlMaster).
 */
export class SshConnection {
  readonly #address: SshAddress
  readonly #folder: string
  #master: Promise<Session> | undefined
  #sharable: Promise<void> | undefined
  #alive = false
  readonly #tidy = () => rmSync(this.#folder, { recursive: true, force: true })

  constructor(address: SshAddress) {
    this.#address = address
    // Unix sockets take about 100 characters, so the system's short folder rather than the project's.
    this.#folder = mkdtempSync(join(tmpdir(), 'infra-'))
    mkdirSync(dirname(address.knownHosts), { recursive: true, mode: 0o700 })
    // A run that is stopped at once does not come to `close`.
    process.once('exit', this.#tidy)
  }

  /** Sends a program and gives what it printed. Throws an `unreachable` failure when the connection fails. */
  async send(program: Program, conversation: Conversation = {}): Promise<Session> {
    if (!this.#master) return this.#open(program, conversation)
    const session = await this.hold(program, conversation)
    session.running.end()
    await session.running.ended // its stderr may come after its stdout
    return session
  }

  /** As `send`, leaving the session open: it ends when its stdin does, and so when we do. */
  async hold(program: Program, conversation: Conversation = {}): Promise<Session> {
    if (!this.#master) await this.#open(questionProgram([]), {})
    await this.#sharable
    if (!this.#alive) throw sshFailure(this.#address, '', conversation.during ?? 'idle')
    return this.#converse(this.#shared(), program, conversation)
  }

  /** Proves that a new connection can be made, by running a program over one. */
  async sendFresh(program: Program): Promise<Session> {
    const session = await this.#converse(this.#argv(['-o', 'ControlPath=none', '-o', 'ConnectTimeout=8']), program, {
      silence: 15,
    })
    session.running.end()
    await session.running.ended
    return session
  }

  async #open(program: Program, conversation: Conversation): Promise<Session> {
    let share = () => {}
    const shared = new Promise<void>((resolve) => {
      share = resolve
    })
    const begun = () => {
      this.#alive = true
      share()
    }
    const opened = this.#converse(this.#opening(), program, { ...conversation, begun })
    this.#master = opened
    this.#sharable = Promise.race([shared, opened.then(share)])
    this.#sharable.catch(() => {}) // told by `opened`; maybe nobody shares it
    const session = await opened
    void session.running.ended.then(() => {
      this.#alive = false
    })
    return session
  }

  async close(): Promise<void> {
    const session = await this.#master?.catch(() => undefined)
    session?.running.end()
    const stuck = setTimeout(() => session?.running.kill('SIGTERM'), 3000)
    await session?.running.ended
    clearTimeout(stuck)
    process.off('exit', this.#tidy)
    this.#tidy()
  }

  /** Starts a program with streams of its own (a terminal, a file) over this connection, which is made if need be. */
  async attach({ line, as, terminal = false, from, ...options }: Attachment): Promise<Running> {
    if (!this.#master) await this.#open(questionProgram([]), {})
    await this.#sharable
    const root = this.#address.user === 'root' || as === 'login'
    const run = line === undefined || root ? line : `sudo -n sh -c ${quote(line)}`
    const argv = this.#shared({ terminal, run })
    return from === undefined ? start(argv, options) : startLine(`{ ${from}; } | ${argv.map(quote).join(' ')}`, options)
  }

  /** What went wrong, when a program that was attached ended with ssh's own exit code (255). */
  broken(stderr: string, during: string): Failure {
    return sshFailure(this.#address, stderr, during)
  }

  #opening(): string[] {
    // ControlPersist would leave a master behind that holds our stderr open; ours ends with its first session.
    return this.#argv(['-o', 'ControlMaster=yes', '-o', `ControlPath=${this.#folder}/s`, '-o', 'ControlPersist=no'])
  }

  #shared(remote?: Remote): string[] {
    return this.#argv(['-o', 'ControlMaster=no', '-o', `ControlPath=${this.#folder}/s`], remote)
  }

  #argv(options: readonly string[], remote?: Remote): string[] {
    const { host, port, user, keyFile, knownHosts } = this.#address
    const { terminal, run } = remote ?? { terminal: false, run: user === 'root' ? 'sh -s' : 'sudo -n sh -s' }
    const own = {
      BatchMode: 'yes',
      ConnectTimeout: '10',
      ServerAliveInterval: '5',
      ServerAliveCountMax: '3',
      StrictHostKeyChecking: 'accept-new',
      UserKnownHostsFile: `"${knownHosts}"`,
      GlobalKnownHostsFile: '/dev/null',
      LogLevel: 'ERROR',
      ForwardAgent: 'no',
      ForwardX11: 'no',
      PermitLocalCommand: 'no',
    }
    return [
      'ssh',
      terminal ? '-t' : '-T',
      ...options,
      ...Object.entries(own).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
      ...(keyFile ? ['-i', keyFile, '-o', 'IdentitiesOnly=yes'] : []),
      '-p',
      String(port),
      '-l',
      user,
      '--',
      host,
      ...(run === undefined ? [] : [run]),
    ]
  }

  #converse(argv: readonly string[], program: Program, conversation: Conversation): Promise<Session> {
    const { hear = () => {}, during, silence = 0, begun = () => {} } = conversation
    const connected = this.#alive
    return new Promise((resolve, reject) => {
      let clock: NodeJS.Timeout | undefined
      const tick = () => {
        clearTimeout(clock)
        if (silence === 0) return
        clock = setTimeout(() => {
          session.stderr += `no answer for ${silence} seconds`
          session.running.kill('SIGKILL')
        }, silence * 1000)
      }
      const lines = byLine((line) => isFrame(line) || hear(line))
      const take = (stream: 'stdout' | 'stderr') => (chunk: string) => {
        if (stream === 'stdout' && session.stdout === '') begun()
        session[stream] += chunk
        tick()
        lines(chunk)
        if (stream === 'stderr' || !program.complete(session.stdout)) return
        clearTimeout(clock)
        resolve(session)
      }
      const session: Session = {
        stdout: '',
        stderr: '',
        running: start(argv, { stdout: (chunk) => take('stdout')(chunk), stderr: (chunk) => take('stderr')(chunk) }),
      }
      tick()
      session.running.write(program.source)
      void session.running.ended.then(() => {
        clearTimeout(clock)
        reject(sshFailure(this.#address, session.stderr, connected || session.stdout !== '' ? during : undefined))
      })
    })
  }
}
