import { randomUUID } from 'node:crypto'
import type { Command, Output } from '../../command/command.ts'
import { quote } from '../../command/sh.ts'
import { Failure } from '../../engine/failure.ts'
import type { Guard } from '../../engine/step.ts'
import type { GuardedOutputs, Listener, Lock, LockRequest, Target } from '../../engine/target.ts'
import type { Running } from '../process.ts'
import { type Attachment, type SshAddress, SshConnection } from './connection.ts'
import { breakLock, heartbeat, lockFence, lockProgram, readLock, readLog } from './lock.ts'
import { changeProgram } from './program.ts'
import { questionProgram } from './question-program.ts'
import { armRevert, disarmRevert, forgetRevert, revertNow } from './revert.ts'

export type { Attachment } from './connection.ts'

/** A host reached by ssh. */
export interface SshTarget extends Target {
  /** Starts a program with streams of its own over the same connection: a terminal, a file, a long stream. */
  attach(attachment: Attachment): Promise<Running>
  /** The failure of such a program that ended with 255: ssh's own words are in its stderr. */
  broken(stderr: string, during: string): Failure
}

/** Whether a target is such a host. */
export const isSsh = (target: Target): target is SshTarget => 'attach' in target

/** Seconds without a sign of life after which a host that is asked is given up. It gives one each second. */
const idleTimeoutSeconds = 60

/**
 * A POSIX host over OpenSSH: nothing is needed on it but sh, base64 and (for the lock) util-linux. All questions of a
 * call go in one round trip; secrets go by stdin.
 */
export function ssh(address: SshAddress): SshTarget {
  const connection = new SshConnection(address)
  let lockId: string | undefined

  const ask = async (questions: readonly Command[]): Promise<readonly Output[]> => {
    const program = questionProgram(questions)
    const { stdout } = await connection.send(program, { idleTimeout: idleTimeoutSeconds, during: 'asking' })
    const answers = program.parse(stdout, '')
    const missing = questions[answers.length]
    if (missing) throw new Failure('error', `no answer to: ${missing.line}`)
    return answers
  }

  const run = async (commands: readonly Command[], hear: Listener): Promise<readonly Output[]> => {
    const program = changeProgram(commands, lockId ? lockFence(lockId) : ':')
    const during = `running: ${commands[0]?.line.slice(0, 80)}`
    const { stdout, stderr } = await connection.send(program, { hear, during })
    return program.parse(stdout, stderr)
  }

  return {
    name: `${address.user}@${address.host}${address.port === 22 ? '' : `:${address.port}`}`,
    blank: false,
    typed: (command) => typedForSsh(address, command),
    ask,
    run,
    guarded: (commands, guard, hear) => confirmOrRevert(connection, run, commands, guard, hear),
    async lock(request) {
      lockId = randomUUID()
      const lock = await takeLock(connection, lockId, request)
      return {
        async release(result) {
          await lock.release(result)
          lockId = undefined
        },
      }
    },
    async holder() {
      const [answer] = await run([readLock], () => {})
      return answer?.stdout.trim() || undefined
    },
    async entries() {
      const [answer] = await run([readLog], () => {})
      return answer?.stdout ?? ''
    },
    async unlock() {
      const [answer] = await run([breakLock], () => {})
      return answer?.stdout.trim() || undefined
    },
    attach: (attachment) => connection.attach(attachment),
    broken: (stderr, during) => connection.broken(stderr, during),
    close: () => connection.close(),
  }
}

/** The line to type for a command: what is sent to the shell on the host, without the frame around it. */
function typedForSsh({ user, host, port, keyFile }: SshAddress, { line, stdin }: Command): string {
  const options = [...(port === 22 ? [] : ['-p', String(port)]), ...(keyFile ? ['-i', keyFile] : [])]
  const login = ['ssh', ...options, `${user}@${host}`].map(quote).join(' ')
  const shell = user === 'root' ? 'sh' : 'sudo -n sh'
  return stdin ? `${login} ${quote(`${shell} -c ${quote(line)}`)}` : `${login} ${shell} -s <<<${quote(line)}`
}

async function takeLock(connection: SshConnection, id: string, request: LockRequest): Promise<Lock> {
  let holder = ''
  const { running, said } = await connection.hold(lockProgram(id, request.holder, request.timeout, request.entry), {
    during: 'waiting for the lock',
    hear(line) {
      if (!line.startsWith('HELD ')) return
      holder = line.slice(5).trim()
      request.waiting(holder)
    },
  })
  if (!/^TAKEN$/m.test(said.stdout)) {
    running.end()
    throw new Failure('locked', `another run holds the lock: ${holder}`, {
      remedy:
        'Wait for it (--lock-timeout SECONDS), or, when you know that it is gone, remove it with the unlock command.',
    })
  }
  const beat = setInterval(() => running.write('\n'), heartbeat * 1000)
  return {
    async release(result) {
      clearInterval(beat)
      running.write(result === undefined ? 'END\n' : `END ${result}\n`)
      running.end()
      await running.ended
    },
  }
}

/**
 * Arms what undoes the change on the host, by a timer or at its next boot, makes it, and disarms that over a connection made afresh.
 * Where that fails, the old connection undoes at once; where that is dead as well, the timer does. The timer is disarmed
 * by nothing but a fresh connection: as long as none gets in, the host still tries by itself.
 */
async function confirmOrRevert(
  connection: SshConnection,
  run: (commands: readonly Command[], hear: Listener) => Promise<readonly Output[]>,
  commands: readonly Command[],
  guard: Guard,
  hear: Listener,
): Promise<GuardedOutputs> {
  const outputs = await run([armRevert(guard), ...commands], hear)
  const armed = outputs[0]
  if (armed?.code !== 0) {
    throw new Failure('error', `${guard.name}: the revert could not be armed, so nothing was changed`, {
      detail: [armed?.stderr.trim() ?? ''],
    })
  }
  const failed = outputs.find(({ code }) => code !== 0)
  const isInBy = async (disarm: Command) => {
    const program = changeProgram([disarm])
    const said = await connection.sendFresh(program).catch(() => undefined)
    return said !== undefined && program.parse(said.stdout, said.stderr)[0]?.code === 0
  }
  const disarm = guard.undo ? disarmRevert(guard.name) : forgetRevert(guard.name)
  if (!failed && (await isInBy(disarm))) return { outputs: outputs.slice(1) }
  if (!failed) hear('a fresh connection cannot be made: reverting')
  const { became, remedy } = await reverted(
    () => run([revertNow(guard.name)], hear),
    () => isInBy(forgetRevert(guard.name)),
    guard,
  )
  if (failed) return { outputs: outputs.slice(1), became }
  throw new Failure('error', `${guard.name}: after this change no new connection could be made; ${became}`, { remedy })
}

interface Reverted {
  readonly became: string
  readonly remedy: string
}

/** Reverts, and says what came of it, which only a connection made afresh can tell. */
async function reverted(
  revert: () => Promise<readonly Output[]>,
  isIn: () => Promise<boolean>,
  { seconds }: Guard,
): Promise<Reverted> {
  const console = `Wait ${seconds} seconds, then try ssh. If nothing gets in, log in at the provider's console: "sshd -T", "journalctl -u ssh" and "ufw status" tell why; "ufw disable" opens the firewall.`
  const armed = `the revert stays armed, and the host runs it within ${seconds} seconds`
  const outputs = await revert().catch(() => undefined)
  if (!outputs)
    return {
      became: `the old connection broke too, so it is not known whether anything gets in; ${armed}`,
      remedy: console,
    }
  const [{ code = 1, stderr = '' } = {}] = outputs
  const why = stderr.trim().split('\n').at(-1)
  if (code !== 0) return { became: `reverting it failed${why ? ` (${why})` : ''}; ${armed}`, remedy: console }
  if (await isIn()) {
    const remedy = 'Look at the firewall and sshd settings that you asked for: they must let this machine in.'
    return { became: 'it was reverted, and a new connection gets in', remedy }
  }
  return {
    became: `it was undone, but still no new connection gets in, so access may be lost; ${armed}`,
    remedy: console,
  }
}
