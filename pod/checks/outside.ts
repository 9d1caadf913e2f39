import { connect } from 'node:net'
import { type Check, type Finding, fail, ok } from '@infra/shared/engine/check'
import type { PodContext } from '../pod-context.ts'

/** Seconds to wait for a port. */
const patience = 4

/** What must, and what must not, answer on the pod's public address, seen from this machine. */
export function outsideChecks({ env }: PodContext): Check[] {
  const address = env.VALENCE_POD_IP
  if (address === undefined) return []
  return [
    {
      id: 'outside.ssh',
      about: `port ${env.VALENCE_SSH_PORT} answers from outside`,
      remedy: 'Look at the firewall: sudo ufw status verbose',
      probe: () => probe(address, env.VALENCE_SSH_PORT, true),
    },
    {
      id: 'outside.postgresql',
      about: 'PostgreSQL does not answer from outside',
      remedy:
        "It must listen on localhost only: npm run deploy -w pod -- -t postgresql; then look for a provider's firewall",
      probe: () => probe(address, 5432, false),
    },
  ]
}

/** Opens a TCP connection, and says whether that is as it should be. */
function probe(host: string, port: number, wanted: boolean): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: patience * 1000 })
    const end = (open: boolean, detail: string) => {
      socket.destroy()
      resolve(open === wanted ? ok(detail) : fail(detail))
    }
    socket.once('connect', () => end(true, `${host}:${port} is open`))
    socket.once('timeout', () => end(false, `${host}:${port} does not answer`))
    socket.once('error', (error: NodeJS.ErrnoException) => end(false, `${host}:${port} ${error.code}`))
  })
}
