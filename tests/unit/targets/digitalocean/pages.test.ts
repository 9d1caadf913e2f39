import { secret } from '@infra/shared/command/secret'
import { nextPage, readReply } from '@infra/shared/targets/digitalocean/reply'
import { openRequests } from '@infra/shared/targets/digitalocean/requests'
import { describe, expect, test } from 'vitest'
import { listen } from '../../../lab/http.ts'

const endpoint = 'https://api.digitalocean.com'
const page = (next: unknown) => ({ status: 200, body: { links: { pages: { next } } }, message: '', retryAfter: 1 })

describe('an answer that names the next page', () => {
  test.each(['x:1/steal', 'x:@evil.example/steal', 'data:.evil.example', '://', 'http://[', '//'])(
    '%s leads the token to no other server',
    (next) => {
      const path = (() => {
        try {
          return nextPage(endpoint, page(next))
        } catch (error) {
          return error
        }
      })()
      if (typeof path === 'string') expect(new URL(endpoint + path).origin).toBe(endpoint)
      else expect(path).toMatchObject({ message: expect.stringMatching(/none of its API/) })
    },
  )

  test('gives only its path', () => {
    expect(nextPage(endpoint, page('https://evil.example/v2/droplets?page=2'))).toBe('/v2/droplets?page=2')
    expect(nextPage(endpoint, page(undefined))).toBeUndefined()
  })

  test('without an end ends the run', async () => {
    let asked = 0
    const server = await listen(['127.0.0.1'], 0, (_, response) => {
      asked += 1
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ droplets: [], links: { pages: { next: `/v2/droplets?page=${asked}` } } }))
    })
    const requests = openRequests(secret('token-of-pages'), `http://127.0.0.1:${server.port}`, async () => {})
    await expect(requests.get('/v2/droplets', () => {})).rejects.toThrow(/has no end: 100 pages/)
    await server.stop()
    expect(asked).toBe(100)
  })
})

test('an answer without an end is not kept in memory', async () => {
  const chunk = new Uint8Array(1_000_000).fill(32)
  let left = 64
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      left -= 1
      if (left >= 0) controller.enqueue(chunk)
      else controller.close()
    },
  })
  await expect(readReply(new Response(body))).rejects.toThrow(/more than 32000000 bytes/)
})
