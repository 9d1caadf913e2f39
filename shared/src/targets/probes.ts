import { Resolver, resolve4 } from 'node:dns/promises'
import { connect } from 'node:net'
import type { DnsLook, DnsPlace } from '../command/digitalocean.ts'

/** Milliseconds to wait for a port. */
const timeoutMs = 3000

/** Whether an ssh server greets on an address; why not, otherwise. Takes at most 3 seconds. */
export function lookForSsh(host: string, port: number): Promise<{ open: boolean; reason: string }> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (open: boolean, reason: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ open, reason })
    }
    // The socket's own timeout would start anew with every byte.
    const timer = setTimeout(() => end(false, 'no answer'), timeoutMs)
    socket.once('data', (greeting) => end(/^SSH-/m.test(String(greeting)), 'not an ssh server'))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(false, code ?? 'no connection'))
    socket.once('close', () => end(false, 'closed at once'))
  })
}

// Their answers are never out of date, and asking them leaves no "there is no such name" in anybody's cache.
const nameServer = 'ns1.digitalocean.com'

const absent = new Set(['ENOTFOUND', 'ENODATA'])

/** The addresses of a name, as anybody gets them or as DigitalOcean's name servers say; `server` instead of either. */
export async function lookUp(name: string, at: DnsPlace, server: string | undefined): Promise<DnsLook> {
  try {
    const resolver = new Resolver({ timeout: 1000, tries: 2 })
    if (server !== undefined) resolver.setServers([server])
    else if (at === 'digitalocean') resolver.setServers(await resolve4(nameServer))
    const [addresses, addresses6] = await Promise.all([
      resolver.resolve4(name).catch(orNone),
      resolver.resolve6(name).catch(orNone),
    ])
    return { addresses: [...addresses].sort(), addresses6: [...addresses6].sort(), unasked: null }
  } catch (error) {
    return { addresses: [], addresses6: [], unasked: (error as NodeJS.ErrnoException).code ?? String(error) }
  }
}

function orNone(error: NodeJS.ErrnoException): string[] {
  // REFUSED is how a name server says that it does not have the zone.
  if (absent.has(error.code ?? '') || error.code === 'EREFUSED') return []
  throw error
}
