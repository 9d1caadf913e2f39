import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Doing, silent } from '@infra/shared/targets/digitalocean/errors'
import { expect, test } from 'vitest'

const doing: Doing = {
  endpoint: 'https://api.digitalocean.com',
  real: true,
  request: 'GET /v2/droplets',
  writes: false,
}
const lost = (code: string) => new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) })

test.each<[unknown, string]>([
  [lost('EAI_AGAIN'), 'DigitalOcean does not answer: this machine cannot resolve the name just now'],
  [lost('ECONNREFUSED'), 'DigitalOcean does not answer: it refuses the connection'],
  [lost('EPROTO'), 'DigitalOcean does not answer: no connection'],
  [new Error('no JSON'), "what answers at DigitalOcean is not DigitalOcean's API"],
])('%s is told in words', (error, message) => {
  expect(silent(doing, error)).toMatchObject({ kind: 'unreachable', message })
})

test('what fetch itself gives is told apart: nobody there, no answer in time, a page to log in at', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/login') response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const said = async (url: string, ms = 5000) => {
    const error = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(ms) }).catch((failed) => failed)
    return silent(doing, error).message
  }
  expect(await said('http://127.0.0.1:9')).toBe('DigitalOcean does not answer: no connection')
  expect(await said(`${here}/slow`, 50)).toBe('DigitalOcean does not answer: no answer in time')
  expect(await said(`${here}/login`)).toBe("what answers at DigitalOcean is not DigitalOcean's API")
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
