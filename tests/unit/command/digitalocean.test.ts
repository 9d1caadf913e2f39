import { doDns, doGet, doRequest, doSend, doSsh, doUnless, doUntil } from '@infra/shared/command/digitalocean'
import { dropletsNamed } from '@infra/shared/facts/digitalocean/droplet'
import { describe, expect, it } from 'vitest'

describe('request lines', () => {
  const list = dropletsNamed('a b')
  const path = '/v2/droplets?name=a+b&per_page=200'
  it.each([
    [doGet('/v2/sizes'), { kind: 'api', method: 'GET', path: '/v2/sizes' }],
    [
      doUnless(doSend('POST', '/v2/x', {}), list, 'droplets'),
      { kind: 'api', method: 'POST', path: '/v2/x', unless: { look: path, has: 'droplets' } },
    ],
    [
      doUntil(list, 'droplets.0.status', 'active', 9),
      { kind: 'api', method: 'GET', path, until: { path: 'droplets.0.status', wanted: 'active', seconds: 9 } },
    ],
    [
      doUntil(doSsh(22, list), 'open', 'true', 9),
      { kind: 'ssh', port: 22, path, until: { path: 'open', wanted: 'true', seconds: 9 } },
    ],
    [doDns('a.b', 'public'), { kind: 'dns', name: 'a.b', at: 'public' }],
  ])('%o', (command, request) => expect(doRequest(command)).toEqual(request))

  it('anything else is a defect', () => {
    expect(() => doRequest({ line: 'DELETE /v2/droplets/7' })).toThrow('not a request for DigitalOcean')
  })
})
