import { hostname, userInfo } from 'node:os'

/** Who we are, for the one who finds our lock: `ana@laptop pid 4242`. */
export function describeHolder(): string {
  return `${userInfo().username}@${hostname()} pid ${process.pid}`
}
