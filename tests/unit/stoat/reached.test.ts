import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Command } from '@infra/shared/command/command'
import { runChecks } from '@infra/shared/engine/check'
import { whenReached } from '@infra/shared/engine/reached'
import { afterEach, expect, test } from 'vitest'
import { canaryCheck, digestOf } from '../../../stoat/checks/canary.ts'
import { sharedEntrance } from '../../../stoat/checks/entrance.ts'
import { openWebSocket } from '../../../stoat/checks/websocket.ts'
import type { StoatContext } from '../../../stoat/context.ts'
import { stoatEnv } from './env.ts'

type Answer = (reply: ServerResponse, asked: IncomingMessage) => unknown

const body = Buffer.from('the canary')
const pace = { limitMs: 10_000, everyMs: 1 }
const serves: Answer = (reply) => reply.end(body)
const says =
  (status: number): Answer =>
  (reply) =>
    reply.writeHead(status).end()
const cutsOff: Answer = (reply) => reply.destroy()

let close = () => {}
afterEach(() => close())

/** A Caddy that answers so, one after the other, and the last for ever; and what leads to it. */
async function behind(...answers: readonly Answer[]) {
  let asked = 0
  const next: Answer = (reply, request) => (answers[asked++] ?? answers.at(-1))?.(reply, request)
  const server = createServer((request, reply) => next(reply, request))
  server.on('upgrade', (request, socket) => {
    const status = asked++ < 2 ? '502 Bad Gateway\r\nContent-Length: 0' : '101 Switching Protocols'
    socket.end(`HTTP/1.1 ${status}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    request.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  close = () => {
    server.closeAllConnections()
    server.close()
  }
  const { port } = server.address() as AddressInfo
  const data = { path: '/autumn/attachments/A/smoke.bin', sha256: digestOf(body) }
  const kube = {
    name: 'kubernetes',
    blank: false,
    ask: async (commands: readonly Command[]) =>
      commands.map(() => ({ code: 0, stdout: JSON.stringify({ data }), stderr: '' })),
    run: (_: readonly Command[], line: (line: string) => void) => {
      line(`Forwarding from 127.0.0.1:${port} -> 8080`)
      return new Promise<never>(() => {})
    },
    close: async () => {},
  }
  const context = { kube, env: stoatEnv({ STOAT_TLS: 'none' }) } as unknown as StoatContext
  return { context, through: sharedEntrance(context, pace), asked: () => asked }
}

test.each<[what: string, answers: Answer[], outcome: string, detail: RegExp, asked: number]>([
  ['is not reached yet', [says(502), says(502), serves], 'ok', /^10 bytes$/, 3],
  ['has no pod yet', [says(503), says(504), serves], 'ok', /^10 bytes$/, 3],
  ['ends the connection at first', [cutsOff, cutsOff, serves], 'ok', /^10 bytes$/, 3],
  ['does not know the file', [says(404), serves], 'fail', /^answers 404/, 1],
  ['cannot read the file', [says(500), serves], 'fail', /^answers 500/, 1],
  ['has another file', [(reply) => reply.end('another'), serves], 'fail', /another file/, 1],
])('a file server that %s', async (_, answers, outcome, detail, count) => {
  const { context, through, asked } = await behind(...answers)
  const found: object[] = []
  await runChecks([canaryCheck(context, through, async () => {})], (event) => {
    if (event.type === 'check') found.push([event.outcome, event.detail])
  })
  expect(found).toEqual([[outcome, expect.stringMatching(detail)]])
  expect(asked()).toBe(count)
})

test('events that are not reached yet are asked for again', async () => {
  const { through, asked } = await behind()
  await through(async (entrance) => (await openWebSocket(entrance, '/ws')).close())
  expect(asked()).toBe(3)
})

test('what is not reached in the time of a start-up is told as it is, to all that ask in one time', async () => {
  const reached = whenReached({ limitMs: 20, everyMs: 1 })
  const refusal = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' })
  let asked = 0
  const refused = async () => {
    asked += 1
    throw refusal
  }
  await expect(reached(refused)).rejects.toBe(refusal)
  expect(asked).toBeGreaterThan(1)
  const before = asked
  await expect(reached(refused)).rejects.toBe(refusal)
  expect(asked).toBe(before + 1)
  expect(await reached(async () => 503, Number)).toBe(503)
})

test('what no start-up explains is told at once', async () => {
  const reached = whenReached(pace)
  let asked = 0
  const fails = (code: string) => async () => {
    asked += 1
    throw Object.assign(new Error(code), { code })
  }
  for (const code of ['ENOTFOUND', 'CERT_HAS_EXPIRED', 'ETIMEDOUT'])
    await expect(reached(fails(code))).rejects.toThrow()
  expect(asked).toBe(3)
})
