import { open, type Session } from '@infra/shared/cli/session'
import { signalCode } from '@infra/shared/cli/signals'
import { Failure } from '@infra/shared/engine/failure'
import { terminals } from '@infra/shared/report/outlet'
import type { Outlet, Running } from '@infra/shared/targets/process'
import { type Attachment, isSsh, type SshTarget } from '@infra/shared/targets/ssh/ssh'
import type { PodContext } from '../context.ts'
import type { PodEnv } from '../env/env.ts'

/** The pod's environment and its host, for a command that works on it: `also` names what it needs besides address and key. */
export function openHost(
  session: Session,
  also: readonly string[] = [],
): { readonly env: PodEnv; readonly host: SshTarget } {
  const { env, host } = open(session, 'access', also).context as PodContext
  if (!isSsh(host)) throw new Failure('error', 'there is no host to connect to', { remedy: 'Set VALENCE_POD_IP.' })
  return { env, host }
}

/** Whether the user sits at a terminal on all streams, so that the host may use it. */
export const onTerminal = () => terminals().in && terminals().out

/**
 * Gives our own streams to a program on the host, and its exit code. On a terminal Ctrl-C is typed there, as all else; a
 * signal to us, such as that of a closed terminal, ends the way to the host.
 */
export async function handOver(
  session: Session,
  host: SshTarget,
  desired: Pick<Attachment, 'line' | 'as'>,
  input = '',
) {
  const streams = { stdout: 'inherit', stderr: 'inherit', foreground: true } as const
  const terminal = onTerminal() && input === ''
  const running = await host.attach({ ...desired, ...streams, terminal, ...(input === '' && { stdin: 'inherit' }) })
  if (input !== '') running.write(input)
  running.end()
  let stop: (signal: NodeJS.Signals) => void = () => {}
  // The connection holds the streams of a program that says nothing, until that ends by itself.
  const stopped = new Promise<number>((resolve) => {
    stop = (signal) => {
      running.kill('SIGTERM')
      resolve(signalCode(signal))
    }
  })
  return endedBySelf(session, { ended: Promise.race([running.ended, stopped]) }, (signal) => stop(signal))
}

/** Waits for a program; a signal to us calls `stop` instead of ending the run. */
export async function endedBySelf(
  session: Session,
  running: Pick<Running, 'ended'>,
  stop: (signal: NodeJS.Signals) => void,
): Promise<number> {
  session.signals.close()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, stop)
  try {
    return await running.ended
  } finally {
    for (const signal of signals) process.off(signal, stop)
  }
}

/** Keeps what a stream says, for the message of an error; hears it by the line too. */
export function recorder(hear: (chunk: string) => void = () => {}): { readonly said: () => string; take: Outlet } {
  let text = ''
  return {
    said: () => text,
    take: (chunk) => {
      text = (text + chunk).slice(-20_000)
      hear(chunk)
    },
  }
}

/**
 * The same line of shell, ended with all that it started when its stdin ends: when we stop it, or die. Without that, a
 * program that has nothing to print would go on for ever on the host.
 */
export const tethered = (line: string): string =>
  `exec 3<&0; { cat <&3; kill -TERM 0; } >/dev/null 2>&1 & export PATH=${path}; ${line}`

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The head of a line that needs the programs of root. */
export const withPath = (line: string): string => `export PATH=${path}; ${line}`
