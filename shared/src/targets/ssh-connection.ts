import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { byLine, type Running, start } from './process.ts'
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

  /** For a terminal of the user's own (`ssh`, `logs`): the arguments that reach the same host in the same way. */
  argv(): readonly string[] {
    return this.#argv([])
  }

  #opening(): string[] {
    // ControlPersist would leave a master behind that holds our stderr open; ours ends with its first session.
    return this.#argv(['-o', 'ControlMaster=yes', '-o', `ControlPath=${this.#folder}/s`, '-o', 'ControlPersist=no'])
  }

  #shared(): string[] {
    return this.#argv(['-o', 'ControlMaster=no', '-o', `ControlPath=${this.#folder}/s`])
  }

  #argv(options: readonly string[]): string[] {
    const { host, port, user, keyFile, knownHosts } = this.#address
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
      '-T',
      ...options,
      ...Object.entries(own).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
      ...(keyFile ? ['-i', keyFile, '-o', 'IdentitiesOnly=yes'] : []),
      '-p',
      String(port),
      '-l',
      user,
      '--',
      host,
      user === 'root' ? 'sh -s' : 'sudo -n sh -s',
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
