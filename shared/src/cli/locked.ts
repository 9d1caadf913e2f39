import type { Target } from '../engine/target.ts'
import { describeHolder } from '../targets/run-identity.ts'
import { seconds } from './commands.ts'
import { runEntry } from './entries.ts'
import type { Session } from './session.ts'

/**
 * Holds a target's lock while `work` runs: no deployment changes what a backup reads or a restore writes. Where
 * `isKept` says so at its end, the target keeps a line of the run.
 */
export async function withLock<T>(
  session: Session,
  on: Target,
  work: () => Promise<T>,
  { isKept = (): boolean => false } = {},
): Promise<T> {
  const { emit, options } = session
  const lock = await on.lock?.({
    holder: `${describeHolder()} (${session.command})`,
    timeout: seconds(options['lock-timeout']),
    waiting: (holder) => emit({ type: 'lock.wait', target: on.name, holder }),
    entry: runEntry(session),
  })
  let result = 'failed'
  try {
    const given = await work()
    result = 'done'
    return given
  } finally {
    // The failure that led here is the one to tell.
    await lock?.release(isKept() ? result : undefined).catch(() => {})
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
