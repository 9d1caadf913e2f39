import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'

/** Who we are, for the one who finds our lock: `ana@laptop pid 4242`. */
export function describeHolder(): string {
  return `${userInfo().username}@${hostname()} pid ${process.pid}`
}

/** This process among all there are: its boot of a machine, its space of process ids, its id. Undefined but on Linux. */
export function processIdentity(pid = process.pid): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')} ${pid}`
  } catch {
    return undefined
  }
}

/** Whether a process by this identity would have to be here, and is not. */
export function isGone(identity: string): boolean {
  const pid = Number(identity.split(' ').at(-1))
  return identity === processIdentity(pid) && !existsSync(`/proc/${pid}`)
}

/** In the environment of every program that we start: which process it is of. */
export const runVariable = 'INFRA_RUN'

/** The processes of this machine that were started by one of that identity, and are still there. Empty but on Linux. */
export function startedBy(identity: string): number[] {
  const mark = `${runVariable}=${identity}`
  return processIds().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark)
    } catch {
      // Ended meanwhile, or somebody else's.
      return false
    }
  })
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}
