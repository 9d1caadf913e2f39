import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { firstCertificate } from '../../../stoat/checks/entrance.ts'

// A TLS record with a fatal alert (RFC 8446, section 6): what Caddy answers while it has no certificate for a name.
const alert = (code: number) => Buffer.from([21, 3, 3, 0, 2, 2, code])
const [internalError, handshakeFailure] = [80, 40]

test('a first certificate is waited for, and what else is wrong is not', async () => {
  const answers = [internalError, internalError, handshakeFailure]
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(alert(answers.shift() ?? handshakeFailure)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await firstCertificate(new URL(`https://127.0.0.1:${port}`), { servername: 'stoat.example.com' }, 1)
  expect(answers).toEqual([])
  server.close()
})
