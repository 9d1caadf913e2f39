import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { LabHost } from './host.ts'
import { listen } from './http.ts'
import { aptAccess } from './machine.ts'

/** What apt of a host asks for, through a proxy of the machine. */
export type AptProxy = {
  /** Every address that was asked for. */
  readonly asked: readonly string[]
  /** Takes it away, from the host too. */
  close(): Promise<void>
}

const settings = '/etc/apt/apt.conf.d/95lab-proxy'

/** Gives a host's apt a proxy that it reaches by IPv6: by itself it reaches no source of packages without IPv4. */
export async function openAptProxy(host: LabHost): Promise<AptProxy> {
  const address = host.address6.replace(/::2$/, '::1')
  const asked: string[] = []
  // Where the machine's own apt needs a proxy, so does this one.
  const next = /^Acquire::http::Proxy "([^"]+)"/im.exec(await aptAccess())?.[1]
  const { port, stop } = await listen([address], 0, (from: IncomingMessage, to: ServerResponse) => {
    const { url = '', method, headers } = from
    asked.push(url)
    const upstream = request(next ?? url, { method, headers, ...(next !== undefined && { path: url }) }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(to)
    })
    upstream.on('error', () => to.destroy())
    from.pipe(upstream)
  })
  const { code } = await host.exec(`echo 'Acquire::http::Proxy "http://[${address}]:${port}";' >${settings}`)
  if (code !== 0) throw new Error(`lab: ${settings} cannot be written`)
  return {
    asked,
    async close() {
      await stop()
      await host.exec(`rm ${settings}`)
    },
  }
}
