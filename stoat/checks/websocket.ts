import { randomBytes } from 'node:crypto'
import { request as plain } from 'node:http'
import { request as secure } from 'node:https'
import type { Socket } from 'node:net'
import type { Entrance } from './entrance.ts'

/** A WebSocket (RFC 6455) as far as texts go: Node 20 has no client of its own. */
export interface WebSocketConnection {
  send(text: string): void
  /** The next text that satisfies the test. Throws when it does not come in time, or the connection ends. */
  next(wanted: (text: string) => boolean): Promise<string>
  close(): void
}

const timeoutMs = 15_000

/** Opens one. Throws for any answer but 101. */
export async function openWebSocket(entrance: Entrance, path: string): Promise<WebSocketConnection> {
  const { status, connection } = await entrance.whenReached(
    () => upgraded(entrance, path),
    ({ status }) => status,
  )
  if (!connection) throw new Error(`answers ${status} instead of 101`)
  return connection
}

interface Upgraded {
  readonly status: number
  readonly connection?: WebSocketConnection
}

function upgraded({ origin, host, tls }: Entrance, path: string): Promise<Upgraded> {
  const request = origin.protocol === 'https:' ? secure : plain
  const headers = {
    host,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
  }
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, origin), { headers, timeout: timeoutMs, ...tls })
    sent.on('response', ({ statusCode = 0 }) => {
      sent.destroy()
      resolve({ status: statusCode })
    })
    sent.on('upgrade', (_, socket: Socket, head: Buffer) =>
      resolve({ status: 101, connection: connectionOf(socket, head) }),
    )
    sent.on('timeout', () => sent.destroy(new Error('no answer')))
    sent.on('error', reject)
    sent.end()
  })
}

function connectionOf(socket: Socket, head: Buffer): WebSocketConnection {
  let rest = head
  let ended: Error | undefined
  const texts: string[] = []
  let wake = () => {}
  const read = () => {
    for (let frame = frameOf(rest); frame; frame = frameOf(rest)) {
      rest = rest.subarray(frame.size)
      if (frame.code === 1) texts.push(frame.content.toString())
      if (frame.code === 8) ended ??= new Error('the connection was closed')
      if (frame.code === 9) socket.write(frameFor(10, frame.content))
    }
    wake()
  }
  const end = (error: Error) => {
    ended ??= error
    wake()
  }
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    read()
  })
  socket.on('error', end)
  socket.on('close', () => end(new Error('the connection was closed')))
  read()
  return {
    send: (text) => void socket.write(frameFor(1, Buffer.from(text))),
    next: (wanted) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => end(new Error(`nothing came in ${timeoutMs / 1000} seconds`)), timeoutMs)
        wake = () => {
          const at = texts.findIndex(wanted)
          if (at < 0 && !ended) return
          clearTimeout(timer)
          wake = () => {}
          if (at < 0) reject(ended)
          else resolve(texts.splice(0, at + 1).at(-1) ?? '')
        }
        wake()
      }),
    close: () => socket.destroy(),
  }
}

/** The first whole frame of some bytes; servers do not mask theirs. */
function frameOf(bytes: Buffer): { code: number; content: Buffer; size: number } | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes.readUInt8(1) & 0x7f
  const start = short === 126 ? 4 : short === 127 ? 10 : 2
  if (bytes.length < start) return undefined
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
  if (bytes.length < start + length) return undefined
  return { code: bytes.readUInt8(0) & 0x0f, content: bytes.subarray(start, start + length), size: start + length }
}

/** A masked frame, as clients send them; of at most 65,535 bytes. */
function frameFor(code: number, content: Buffer): Buffer {
  const mask = randomBytes(4)
  const masked = Buffer.from(content.map((byte, at) => byte ^ (mask[at % 4] ?? 0)))
  const long = content.length > 125
  const start = Buffer.alloc(long ? 4 : 2)
  start.writeUInt8(0x80 | code, 0)
  start.writeUInt8(0x80 | (long ? 126 : content.length), 1)
  if (long) start.writeUInt16BE(content.length, 2)
  return Buffer.concat([start, mask, masked])
}
