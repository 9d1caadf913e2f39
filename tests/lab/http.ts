import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'

/** A server that listens where the lab's hosts can reach it, on one port for all. */
export type Listening = { readonly port: number; stop(): Promise<void> }

/**
 * Listens on each of the addresses (a host's `gateway`, or 127.0.0.1), never on the machine's own. With port 0 the
 * first address picks a free one.
 */
export async function listen(addresses: readonly string[], port: number, handler: RequestListener): Promise<Listening> {
  let chosen = port
  const stops: (() => Promise<void>)[] = []
  for (const address of addresses) {
    const server = createServer(handler)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(chosen, address, () => resolve())
    })
    chosen = (server.address() as AddressInfo).port
    stops.push(
      () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    )
  }
  return {
    port: chosen,
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()))
    },
  }
}

/** The whole body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** A short plain answer. */
export function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' })
  response.end(text)
}

/** A port of the loopback that was free a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createSocketServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
