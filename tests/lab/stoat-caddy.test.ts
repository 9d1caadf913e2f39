import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sampleEnv } from '@infra/shared/env/sample'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type StoatEnv, stoatSchema } from '../../stoat/env/env.ts'
import { caddyfile } from '../../stoat/manifests/caddyfile.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'
import { caddyProgram } from './stoat/go-programs.ts'

const skip = requireLab('stoat')
const names = ['stoat-api', 'stoat-events', 'stoat-autumn', 'stoat-january', 'stoat-gifbox', 'stoat-web']

/** A program that tells what reached it; `/redirect` leads elsewhere, an upgrade is accepted and answered by its path. */
function echo(name: string): Server {
  const server = createServer((request, reply) => {
    if (request.url === '/redirect') return void reply.writeHead(308, { location: '/attachments/A/name' }).end()
    reply.end(JSON.stringify({ name, url: request.url, client: request.headers['cf-connecting-ip'] }))
  })
  const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  return server.on('upgrade', (request, socket) => void socket.end(`${head}${request.url}`))
}

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))

// The machine chooses from 32768 on what it gives to others, so that nobody takes one of these in between.
let nextPort = 20_000 + ((process.pid * 16) % 12_000)

/** A port that is free. */
async function ownPort(): Promise<number> {
  for (;;) {
    const port = nextPort++
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) =>
      server.once('error', () => resolve(false)).listen(port, () => resolve(true)),
    )
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}

/** Sends some bytes and gives what comes back until the other side ends. */
const exchange = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')))
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
  })

describe.skipIf(skip)(title('a real Caddy with our Caddyfile', skip), () => {
  const folder = mkdtempSync(join(tmpdir(), 'caddy-'))
  const programs = names.map((name) => ({ name, server: echo(name) }))
  const ended: (() => void)[] = []
  const ports: Record<string, number> = {}

  beforeAll(async () => {
    for (const { name, server } of programs) ports[name] = await listen(server)
  })
  afterAll(() => {
    for (const end of ended) end()
    for (const { server } of programs) server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Starts it on ports of its own, before our programs; certificates are its own. Gives the port of plain HTTP. */
  async function start(more: Partial<StoatEnv>): Promise<number> {
    const [http, https] = [await ownPort(), await ownPort()]
    let text = caddyfile({ ...sampleEnv(stoatSchema), ...more })
    text = text.replaceAll('8080', String(http)).replaceAll('8443', String(https))
    for (const [name, port] of Object.entries(ports))
      text = text.replace(new RegExp(`${name}:\\d+`), `127.0.0.1:${port}`)
    text = text.replace(/acme_ca .*/, 'local_certs\n\tskip_install_trust').replaceAll('stoat.example.com', 'localhost')
    const file = join(folder, `Caddyfile.${http}`)
    writeFileSync(file, text)
    const env = { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, HOME: folder }
    const child = spawn(await caddyProgram(), ['run', '--config', file, '--adapter', 'caddyfile'], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    ended.push(() => child.kill())
    let said = ''
    child.stderr.on('data', (chunk) => {
      said += chunk
    })
    const answers = () => exchange(http, 'GET / HTTP/1.0\r\n\r\n').then((answer) => answer !== '' || undefined)
    await until('Caddy', 20_000, async () => {
      if (child.exitCode !== null) throw new Error(`Caddy ended with ${child.exitCode}\n${said.slice(-2000)}`)
      return answers().catch(() => undefined)
    })
    return http
  }
  const get = async (port: number, path: string, headers: readonly string[] = [], first = '') => {
    const lines = [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers]
    const answer = await exchange(port, `${first}${lines.join('\r\n')}\r\n\r\n`)
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    return { status: Number(head.split(' ')[1]), location: /^Location: (.*)$/m.exec(head)?.[1]?.trim(), head, body }
  }

  describe('by plain HTTP', () => {
    let port: number
    beforeAll(async () => {
      port = await start({ STOAT_TLS: 'none', STOAT_GATEWAY: 'cluster-ip' })
    })

    it.each([
      ['/api', 'stoat-api', '/'],
      ['/api/', 'stoat-api', '/'],
      ['/api/users/@me?x=1', 'stoat-api', '/users/@me?x=1'],
      ['/apix', 'stoat-web', '/apix'],
      ['/ws?version=1', 'stoat-events', '/?version=1'],
      ['/wsx', 'stoat-web', '/wsx'],
      ['/autumn', 'stoat-autumn', '/'],
      ['/autumn/attachments/A/name', 'stoat-autumn', '/attachments/A/name'],
      ['/january/embed?url=x', 'stoat-january', '/embed?url=x'],
      ['/januaryx/y', 'stoat-web', '/januaryx/y'],
      ['/gifbox/trending?locale=en_US', 'stoat-gifbox', '/trending?locale=en_US'],
      ['/', 'stoat-web', '/'],
      ['/.well-known/stoat/x', 'stoat-web', '/.well-known/stoat/x'],
    ])('%s goes to %s as %s', async (path, name, url) => {
      const { status, body } = await get(port, path)
      expect([status, JSON.parse(body)]).toEqual([200, { name, url, client: '127.0.0.1' }])
    })

    it('gives the prefix back where a program redirects', async () => {
      expect(await get(port, '/autumn/redirect')).toMatchObject({ status: 308, location: '/autumn/attachments/A/name' })
    })

    it('tells every client where the api is', async () => {
      const { status, head, body } = await get(port, '/.well-known/stoat')
      expect([status, Object.keys(JSON.parse(body))]).toEqual([200, ['api']])
      expect(head).toMatch(/^Access-Control-Allow-Origin: \*\r$/m)
      expect(head).toMatch(/^Content-Type: application\/json\r$/m)
    })

    it('lets a WebSocket through', async () => {
      const upgrade = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']
      const lines = ['GET /ws?token=bad HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', ...upgrade]
      const answer = await exchange(port, `${lines.join('\r\n')}\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 101 /)
      expect(answer).toMatch(/\/\?token=bad$/)
    })

    it.each(['/', '/api/', '/autumn/'])('lets no client say who it is at %s', async (path) => {
      const { body } = await get(port, path, ['CF-Connecting-IP: 6.6.6.6', 'X-Forwarded-For: 7.7.7.7'])
      expect(JSON.parse(body).client).toBe('127.0.0.1')
    })
  })

  it('believes the proxy before it, and it alone, who the client is', async () => {
    const port = await start({ STOAT_TLS: 'upstream', STOAT_GATEWAY: 'cluster-ip' })
    const { body } = await get(port, '/api/', ['CF-Connecting-IP: 6.6.6.6', 'X-Forwarded-For: 203.0.113.9'])
    expect(JSON.parse(body).client).toBe('203.0.113.9')
  })

  it('behind a load balancer leads to TLS, with and without the word of it who the client is', async () => {
    const port = await start({})
    const elsewhere = { status: 301, location: 'https://localhost/x?y=1' }
    expect(await get(port, '/x?y=1')).toMatchObject(elsewhere)
    const word = 'PROXY TCP4 203.0.113.9 10.0.0.1 5555 80\r\n'
    expect(await get(port, '/x?y=1', [], word)).toMatchObject(elsewhere)
    const upstream = await start({ STOAT_TLS: 'upstream' })
    expect(JSON.parse((await get(upstream, '/api/', [], word)).body).client).toBe('203.0.113.9')
  })
})
