import { seconds } from '@infra/shared/cli/commands'
import type { Session } from '@infra/shared/cli/session'
import { describeHolder } from '@infra/shared/targets/run-identity'
import type { SshTarget } from '@infra/shared/targets/ssh/ssh'

/** Holds the host's lock while `work` runs: no deployment changes what a backup reads or a restore writes. */
export async function withLock<T>(session: Session, host: SshTarget, work: () => Promise<T>): Promise<T> {
  const { emit, options } = session
  const lock = await host.lock?.({
    holder: `${describeHolder()} (${session.command})`,
    timeout: seconds(options['lock-timeout']),
    waiting: (holder) => emit({ type: 'lock.wait', target: host.name, holder }),
  })
  try {
    return await work()
  } finally {
    // The failure that led here is the one to tell.
    await lock?.release().catch(() => {})
  }
}

/** Tells of something long from its beginning to its end; `work` is given what shows how far it is. */
export async function told<T>({ emit }: Session, say: string, work: (progress: (line: string) => void) => Promise<T>) {
  const began = Date.now()
  const end = (outcome: 'done' | 'failed') => emit({ type: 'work.end', say, outcome, ms: Date.now() - began })
  emit({ type: 'work.start', say })
  try {
    const result = await work((line) => emit({ type: 'work.line', line }))
    end('done')
    return result
  } catch (error) {
    end('failed')
    throw error
  }
}
