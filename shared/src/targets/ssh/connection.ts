import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { quote } from '../../command/sh.ts'
import type { Failure } from '../../engine/failure.ts'
import { type Running, type Streams, start, startLine } from '../process.ts'
import { type TemporaryFolder, temporaryFolder } from '../temporary-folder.ts'
import { sshFailure } from './errors.ts'
import { startFramed } from './frame.ts'
import { knownKeys, nameInKnownHosts, sayFirstContact } from './host-keys.ts'
import { type Program, utf8 } from './program.ts'
import { takePulse } from './pulse.ts'
import { questionProgram } from './question-program.ts'
import { type ExecOptions, RemoteShell, type ShellOutput } from './remote-shell.ts'

export interface SshAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly keyFile: string | undefined
  /** Without a `keyFile`: a private key to try beside those of the agent and ssh's own. */
  readonly keyToTry?: string | undefined
  /** A file of the project's own, so that a changed host key stops the run whatever else the user trusts. */
  readonly knownHosts: string
  /** The only host key that is believed, as `type base64`; undefined: the one of the first contact. */
  readonly hostKey?: string | undefined
  /** Seconds that a login may take; 120 unless told. */
  readonly loginSeconds?: number
  /** Told of a first contact, where nothing said which key is the host's. */
  readonly tell?: ((text: string) => void) | undefined
}

/** Redirections of stderr are written otherwise in some login shells. */
const inAnyShell = { by: 'any shell', stderr: false } as const

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

interface Remote {
  readonly terminal: boolean
  /** Nothing: the login shell. */
  readonly run: string | undefined
}

/**
 * One connection by the system's OpenSSH. The first program rides on the session that opens it, so that a run with
 * nothing to change costs one ssh process and one round trip; what follows shares it (ControlMaster), each program in a shell that an earlier
 * one has left, where one waits.
 */
export class SshConnection {
  readonly #address: SshAddress
  #files: TemporaryFolder | undefined
  #master: Promise<RemoteShell> | undefined
  readonly #waiting = { questions: [] as RemoteShell[], changes: [] as RemoteShell[] }
  #sharable: Promise<void> | undefined
  #alive = false
  /** Whether a program was ended at which the connection would go on waiting. */
  #cut = false

  constructor(address: SshAddress) {
    this.#address = address
  }

  /** The folder of its files, made when the first ssh needs it: not everybody who has a host connects to it. */
  get #folder(): string {
    if (this.#files !== undefined) return this.#files.path
    const { knownHosts, host, port, hostKey } = this.#address
    this.#files = temporaryFolder()
    mkdirSync(dirname(knownHosts), { recursive: true, mode: 0o700 })
    if (hostKey !== undefined)
      writeFileSync(this.#pinned, `${nameInKnownHosts(host, port)} ${hostKey}\n`, { mode: 0o600 })
    return this.#files.path
  }

  get #pinned(): string {
    return join(this.#folder, 'known_hosts')
  }

  get #loggedIn(): string {
    return join(this.#folder, 'in')
  }

  /** Whether it has been opened, or is just being: what is sent next shares it. */
  get opened(): boolean {
    return this.#master !== undefined
  }

  /** Sends a program and gives what it printed. Throws an `unreachable` failure when the connection fails. */
  async send(program: Program, options: ExecOptions = {}): Promise<ShellOutput> {
    if (!this.#master) {
      if (program.kind === 'questions') return this.#open(program, options)
      // A change may say nothing for long: whether the login is through is known by what begins at once.
      await this.#open(questionProgram([]), {})
    }
    const waiting = this.#waiting[program.kind]
    let shell = waiting.pop()
    while (shell?.ended) shell = waiting.pop()
    shell ??= await this.#shell(options)
    const said = await this.#exec(shell, program, options)
    waiting.push(shell)
    return said
  }

  /** As `send`, in a shell of its own that stays with the program: it ends when its stdin does, and so when we do. */
  async hold(program: Program, options: ExecOptions = {}): Promise<{ running: Running; said: ShellOutput }> {
    const shell = await this.#shell(options)
    return { running: shell.running, said: await this.#exec(shell, program, options) }
  }

  /** Proves that a new connection can be made, by running a program over one. */
  async sendFresh(program: Program): Promise<ShellOutput> {
    const shell = new RemoteShell(this.#argv(['-o', 'ControlPath=none', '-o', 'ConnectTimeout=8']))
    const said = await this.#exec(shell, program, { idleTimeout: 15, loginTimeout: freshLoginSeconds })
    shell.running.end()
    await shell.running.ended
    return said
  }

  /** A new shell over the connection. */
  async #shell({ during = 'idle' }: ExecOptions): Promise<RemoteShell> {
    if (!this.#master) await this.#open(questionProgram([]), {})
    await this.#sharable
    if (!this.#alive) throw sshFailure(this.#address, '', { during })
    return new RemoteShell(this.#shared())
  }

  async #open(program: Program, options: ExecOptions): Promise<ShellOutput> {
    let share = () => {}
    const shared = new Promise<void>((resolve) => {
      share = resolve
    })
    const onFirstOutput = () => {
      this.#alive = true
      share()
    }
    const { host, port, knownHosts, hostKey, tell } = this.#address
    const isStranger = hostKey === undefined && knownKeys(knownHosts, host, port).length === 0
    const shell = new RemoteShell(this.#opening())
    const opened = this.#exec(shell, program, {
      ...options,
      onFirstOutput,
      loginTimeout: this.#address.loginSeconds ?? loginSeconds,
    })
    this.#master = opened.then(() => shell)
    this.#sharable = Promise.race([shared, opened.then(share)])
    this.#sharable.catch(() => {}) // told by `opened`; maybe nobody shares it
    this.#master.catch(() => {})
    const said = await opened
    const [key] = isStranger ? knownKeys(knownHosts, host, port) : []
    if (key !== undefined) tell?.(sayFirstContact(host, key))
    const pulse = takePulse(shell)
    void shell.running.ended.then(() => {
      clearInterval(pulse)
      this.#alive = false
    })
    return said
  }

  async close(): Promise<void> {
    const master = await this.#master?.catch(() => undefined)
    for (const { running } of [...this.#waiting.questions, ...this.#waiting.changes]) running.end()
    master?.running.end()
    const stuck = setTimeout(() => master?.running.kill('SIGTERM'), this.#cut ? 0 : 3000)
    await master?.running.ended
    clearTimeout(stuck)
    this.#files?.remove()
    this.#files = undefined
  }

  /**
   * Starts a program with streams of its own (a terminal, a file) over this connection, which is made if need be. Off a
   * terminal nothing is on them but what the line prints.
   */
  async attach({ line, as, terminal = false, from, ...options }: Attachment): Promise<Running> {
    if (!this.#master) await this.#open(questionProgram([]), {})
    await this.#sharable
    const begin = (run: string | undefined, streams: Streams): Running => {
      const root = this.#address.user === 'root' || as === 'login'
      const argv = this.#shared({ terminal, run: run === undefined || root ? run : `sudo -n ${run}` })
      const started = { ...options, ...streams }
      return from === undefined
        ? start(argv, started)
        : startLine(`{ ${from}; } | ${argv.map(quote).join(' ')}`, started)
    }
    const framing = as === 'root' ? ({ by: 'sh', stderr: from === undefined } as const) : inAnyShell
    const running =
      line !== undefined && !terminal
        ? startFramed(line, options, framing, begin)
        : begin(line !== undefined && as === 'root' ? `sh -c ${quote(line)}` : line, options)
    const kill: Running['kill'] = (signal) => {
      this.#cut = true
      running.kill(signal)
    }
    return { ...running, kill }
  }

  /** What went wrong, when a program that was attached ended with ssh's own exit code (255). */
  broken(stderr: string, during: string): Failure {
    return sshFailure(this.#address, stderr, { during })
  }

  #opening(): string[] {
    // ControlPersist would leave a master behind that holds our stderr open; ours ends with its first session.
    return this.#argv([
      ...['-o', 'ControlMaster=yes', '-o', `ControlPath=${this.#folder}/s`, '-o', 'ControlPersist=no'],
      // What ssh runs here as soon as the host has let us in, before it waits for a session there.
      ...['-o', 'PermitLocalCommand=yes', '-o', `LocalCommand=touch ${quote(this.#loggedIn).replaceAll('%', '%%')}`],
    ])
  }

  #shared(remote?: Remote): string[] {
    return this.#argv(['-o', 'ControlMaster=no', '-o', `ControlPath=${this.#folder}/s`], remote)
  }

  #argv(options: readonly string[], remote?: Remote): string[] {
    const { host, port, user, keyFile, keyToTry, knownHosts, hostKey } = this.#address
    const { terminal, run } = remote ?? { terminal: false, run: user === 'root' ? 'sh -s' : 'sudo -n sh -s' }
    const own = {
      BatchMode: 'yes',
      ConnectTimeout: '10',
      // Behind the pulse, and longer than a login may take: until that is through, sshd answers nothing.
      ServerAliveInterval: '30',
      ServerAliveCountMax: '4',
      StrictHostKeyChecking: hostKey === undefined ? 'accept-new' : 'yes',
      UserKnownHostsFile: `"${hostKey === undefined ? knownHosts : this.#pinned}"`,
      GlobalKnownHostsFile: '/dev/null',
      LogLevel: 'ERROR',
      ForwardAgent: 'no',
      ForwardX11: 'no',
      PermitLocalCommand: 'no',
      ...plainSession,
    }
    return [
      'ssh',
      terminal ? '-t' : '-T',
      ...options,
      ...Object.entries(own).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
      ...(keyFile ? ['-i', keyFile, '-o', 'IdentitiesOnly=yes'] : besideDefaults(keyToTry)),
      '-p',
      String(port),
      '-l',
      user,
      '--',
      host,
      ...(run === undefined ? [] : [run]),
    ]
  }

  #exec(shell: RemoteShell, program: Program, options: ExecOptions): Promise<ShellOutput> {
    const connected = this.#alive
    return shell.exec(program, options, ({ stdout, stderr }) =>
      sshFailure(
        this.#address,
        utf8(stderr),
        connected || stdout !== ''
          ? { during: duringOf(options, program.underWay?.(stdout)) }
          : { loggedIn: this.#files !== undefined && existsSync(this.#loggedIn) },
      ),
    )
  }
}

/** Seconds that a login may take: PAM, a home folder far away or a loaded host hold it up … */
const loginSeconds = 120
/** … and one that confirms a change, which is reverted after a minute. */
const freshLoginSeconds = 45

// What the user's ssh_config may say for sessions by hand would take the place of ours. The last three came with OpenSSH 8.7.
const plainSession = {
  RemoteCommand: 'none',
  ClearAllForwardings: 'yes',
  Tunnel: 'no',
  VisualHostKey: 'no',
  IgnoreUnknown: 'SessionType,StdinNull,ForkAfterAuthentication',
  SessionType: 'default',
  StdinNull: 'no',
  ForkAfterAuthentication: 'no',
}

/** A key to try first; whoever names one takes ssh's own defaults away, so those are named too. */
function besideDefaults(key: string | undefined): string[] {
  if (key === undefined) return []
  const own = ['id_ed25519', 'id_rsa', 'id_ecdsa'].map((name) => join(homedir(), '.ssh', name))
  return [key, ...own.filter((path) => path !== key && existsSync(path))].flatMap((path) => ['-i', path])
}

const duringOf = ({ during }: ExecOptions, lines: readonly string[] = []) =>
  during && [during, ...lines.map((line) => line.split('\n')[0]?.slice(0, 100))].join(': ')
