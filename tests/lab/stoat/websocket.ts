import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { until } from '../run.ts'

/** A client of a websocket that speaks JSON. */
export type Socket = {
  readonly status: number
  /** All that was said so far. */
  readonly events: readonly Event[]
  send(event: Event): void
  /** Waits for the first event of this type that satisfies `holds`. */
  event(type: string, timeoutMs?: number, holds?: (event: Event) => boolean): Promise<Event>
  close(): void
}

export type Event = { readonly type: string; readonly [key: string]: unknown }

/** Opens a websocket by http; throws where the answer is not 101. */
export function openSocket(url: string): Promise<Socket> {
  const key = randomBytes(16).toString('base64')
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
  }
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, timeout: 70_000 })
    asked.on('upgrade', ({ statusCode }, stream, head) => resolve(socketOn(stream, head, statusCode ?? 0)))
    asked.on('response', ({ statusCode }) => reject(new Error(`${url} answered ${statusCode}, not a websocket`)))
    asked.on('timeout', () => asked.destroy(new Error(`${url} did not answer`)))
    asked.on('error', reject)
    asked.end()
  })
}

function socketOn(stream: Duplex, head: Buffer, status: number): Socket {
  const events: Event[] = []
  let rest = head
  const take = () => {
    for (let frame = frameOf(rest); frame !== undefined; frame = frameOf(rest)) {
      rest = rest.subarray(frame.length)
      if (frame.opcode === 1) events.push(JSON.parse(frame.payload.toString()))
      if (frame.opcode === 9) stream.write(masked(10, frame.payload))
    }
  }
  stream.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    take()
  })
  stream.on('error', () => {})
  take()
  return {
    status,
    events,
    send: (event) => stream.write(masked(1, Buffer.from(JSON.stringify(event)))),
    event: (type, timeoutMs = 10_000, holds = () => true) =>
      until(`the event ${type}`, timeoutMs, async () => events.find((one) => one.type === type && holds(one))),
    close: () => stream.destroy(),
  }
}

// The servers here say each thing in one frame.
function frameOf(buffer: Buffer): { opcode: number; payload: Buffer; length: number } | undefined {
  if (buffer.length < 2) return undefined
  const short = (buffer[1] ?? 0) & 127
  const header = short === 127 ? 10 : short === 126 ? 4 : 2
  if (buffer.length < header) return undefined
  const size = short === 127 ? Number(buffer.readBigUInt64BE(2)) : short === 126 ? buffer.readUInt16BE(2) : short
  if (buffer.length < header + size) return undefined
  return {
    opcode: (buffer[0] ?? 0) & 15,
    payload: buffer.subarray(header, header + size),
    length: header + size,
  }
}

function masked(opcode: number, payload: Buffer): Buffer {
  if (payload.length > 125) throw new Error('lab: a client says only short things')
  const mask = randomBytes(4)
  const body = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, body])
}
