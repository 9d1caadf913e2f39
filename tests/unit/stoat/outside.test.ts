import { expect, test } from 'vitest'
import { judgeRoot } from '../../../stoat/checks/outside.ts'
import { urlsOf } from '../../../stoat/urls.ts'

const urls = urlsOf({ STOAT_DOMAIN: 'stoat.example.com', STOAT_TLS: 'gateway' })
const root = {
  revolt: '0.13.7',
  app: urls.app,
  ws: urls.events,
  vapid: 'BKey-of-this-Stoat',
  features: { autumn: { url: urls.autumn }, january: { url: urls.january } },
}
const features = { ...root.features, autumn: { url: 'http://local.revolt.chat/autumn' } }

test.each<[what: string, status: number, body: unknown, outcome: string, detail: RegExp]>([
  ['its own addresses', 200, root, 'ok', /^version 0\.13\.7, outside$/],
  ['a page of a proxy', 200, '<html>', 'fail', /no JSON of the api/],
  ['another JSON', 200, { error: 'x' }, 'fail', /no JSON of the api/],
  ['an error', 502, root, 'fail', /^answers 502/],
  ['the addresses that are compiled in', 200, { ...root, features }, 'fail', /^autumn is http:\/\/local\.revolt\.chat/],
  ['no events', 200, { ...root, ws: undefined }, 'fail', /^ws is undefined instead of wss:/],
  ['the key that is compiled in', 200, { ...root, vapid: 'BGcvgR-i2z4IQ5Mw' }, 'fail', /public one of the images/],
])('an api that tells %s', (_, status, body, outcome, detail) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const found = judgeRoot({ status, body: Buffer.from(text) }, urls, 'outside')
  expect([found.outcome, found.detail]).toEqual([outcome, expect.stringMatching(detail)])
})
