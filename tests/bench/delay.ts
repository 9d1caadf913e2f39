import { connect, createServer, type Socket } from 'node:net'

/** A port of this machine that leads to another one, later. */
export interface Delayed {
  readonly port: number
  /** How long a question and its answer take in all, in milliseconds. */
  delay(ms: number): void
  close(): void
}

/** Passes on what goes to a port and what comes from it, each half of the delay later, in order. */
export function delayed(host: string, port: number): Promise<Delayed> {
  let half = 0
  const sockets = new Set<Socket>()
  const pass = (from: Socket, to: Socket) => {
    sockets.add(from)
    from.on('data', (chunk) => void setTimeout(() => to.write(chunk), half))
    from.on('end', () => void setTimeout(() => to.end(), half))
    from.on('error', () => to.destroy())
    from.on('close', () => sockets.delete(from))
  }
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host, port, allowHalfOpen: true })
    pass(near, far)
    pass(far, near)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () =>
      resolve({
        port: (server.address() as { port: number }).port,
        delay: (ms) => {
          half = ms / 2
        },
        close: () => {
          server.close()
          for (const socket of sockets) socket.destroy()
        },
      }),
    )
  })
}
