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
