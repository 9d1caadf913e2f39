import { createSocket } from 'node:dgram'
import { isIPv4 } from 'node:net'

export interface DnsFake {
  /** `127.0.0.1:PORT`, or where it was told to be. */
  readonly server: string
  /** Drops what is asked, as a firewall does. */
  mute(yes: boolean): void
  stop(): Promise<void>
}

/** A DNS server that answers A queries from a table and knows no other type (RFC 1035, section 4); on loopback by default. */
export async function startDns(
  addresses: (name: string) => readonly string[],
  { host, port } = { host: '127.0.0.1', port: 0 },
): Promise<DnsFake> {
  const socket = createSocket('udp4')
  let muted = false
  socket.on('message', (query, peer) => {
    if (muted) return
    const { name, end, type } = question(query)
    const found = type === 1 ? addresses(name).filter(isIPv4) : []
    const header = Buffer.alloc(12)
    header.writeUInt16BE(query.readUInt16BE(0), 0)
    header.writeUInt16BE(0x8580, 2) // an authoritative answer without an error
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(found.length, 6)
    const answers = found.map((address) =>
      // The name by a pointer to the question, A, IN, 300 seconds, 4 bytes.
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, ...address.split('.').map(Number)]),
    )
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), peer.port, peer.address)
  })
  await new Promise<void>((resolve) => socket.bind(port, host, resolve))
  return {
    server: `${host}:${socket.address().port}`,
    mute: (yes) => {
      muted = yes
    },
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

function question(query: Buffer): { name: string; end: number; type: number } {
  const labels: string[] = []
  let at = 12
  for (let size = query[at] ?? 0; size > 0; size = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + size))
    at += size + 1
  }
  return { name: labels.join('.').toLowerCase(), end: at + 5, type: query.readUInt16BE(at + 1) }
}
