import { doList } from '@infra/shared/command/digitalocean'
import { reveal, secret } from '@infra/shared/command/secret'
import type { Event } from '@infra/shared/engine/events'
import { assertSound, changesOf, isConverged } from '@infra/shared/engine/plan'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DropletWorld, failureOf, heard, said } from './droplet-world.ts'
import { until } from './run.ts'

let world: DropletWorld
beforeEach(async () => {
  world = await DropletWorld.start()
})
afterEach(() => world.stop())

describe('what can go wrong', () => {
  it('401 names the token, once and clearly', async () => {
    const failure = await failureOf(world.plan(world.context({}, { token: secret('dop_v1_not_this_one') })))
    expect(failure).toMatchObject({ kind: 'unreachable', message: 'DigitalOcean does not accept DIGITALOCEAN_TOKEN' })
    expect(failure.remedy).toContain('account/api/tokens')
  })

  it('403 names the scopes', async () => {
    world.fake.fail(/GET .*sizes/, { status: 403, body: { id: 'forbidden', message: 'You are not authorized' } })
    const failure = await failureOf(world.plan())
    expect(failure.message).toBe('DIGITALOCEAN_TOKEN may not do GET /v2/sizes?per_page=200')
    expect(failure.remedy).toContain('scopes')
  })

  it('422 is told in their words', async () => {
    world.fake.limit = 0
    const failure = await failureOf(world.settle())
    expect(failure.message).toContain('the account has as many droplets as it may have')
    expect(failure.message).toContain('(exit code 422)')
    expect(world.fake.droplets).toEqual([])
  })

  it('429 waits as long as is asked, for writes too', async () => {
    const limit = { status: 429, headers: { 'retry-after': '29' }, body: { id: 'too_many_requests', message: 'slow' } }
    world.fake.fail(/GET .*sizes/, limit)
    world.fake.fail(/POST .*droplets/, limit, limit)
    const events: Event[] = []
    const began = Date.now()
    await world.settle(world.context(), events)
    expect(Date.now() - began).toBeGreaterThan(3 * 290) // 29 s at the pace of 0.01
    expect(heard(events).filter((line) => line.endsWith('again in 29 seconds'))).toHaveLength(2)
    expect(world.fake.droplets).toHaveLength(1)
  })

  it('429 without end ends', async () => {
    world.fake.fail(
      /GET .*sizes/,
      ...Array.from({ length: 9 }, () => ({ status: 429, headers: { 'retry-after': '1' } })),
    )
    expect(await failureOf(world.plan())).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('fewer requests'),
    })
  })

  it('a question survives three faults of the API, not four', async () => {
    const faults = [{ status: 500 }, { status: 503, body: '<html>' }, { status: 'drop' as const }]
    world.fake.fail(/GET .*sizes/, ...faults)
    expect(said(await world.plan())).toHaveLength(2)
    world.fake.fail(/GET .*sizes/, ...faults, { status: 500 })
    expect(await failureOf(world.plan())).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('(500)'),
    })
  })

  it.each([{ status: 500 }, { status: 504 }, { status: 'drop' as const }])(
    'a droplet is not asked for twice when the answer is lost (%o)',
    async (fault) => {
      world.fake.fail(/POST .*droplets/, { ...fault, done: true })
      const failure = await failureOf(world.settle())
      expect(failure.kind).toBe('unreachable')
      expect(failure.remedy).toContain('may or may not have been done')
      expect(world.fake.droplets).toHaveLength(1)
      await world.settle()
      expect(world.fake.droplets).toHaveLength(1)
      expect(isConverged(await world.plan())).toBe(true)
    },
  )

  it('nobody there, and somebody else there', async () => {
    const nobody = await failureOf(world.plan(world.context({}, { endpoint: 'http://127.0.0.1:9' })))
    expect(nobody).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('127.0.0.1:9 does not answer'),
    })
    world.fake.fail(/GET .*sizes/, ...Array.from({ length: 4 }, () => ({ status: 200, body: '<html>log in</html>' })))
    expect((await failureOf(world.plan())).message).toContain("is not DigitalOcean's API")
  })

  it('name servers that cannot be asked are not waited for', async () => {
    world.dns.mute(true)
    await world.settle()
    const [record] = (await world.plan()).steps.filter(({ step }) => step.id === 'A record pod.example.com')
    expect(record?.decision).toMatchObject({ kind: 'converged', because: expect.stringContaining('cannot be asked') })
  })

  it('the token is in no plan, event or message', async () => {
    const events: Event[] = []
    const token = secret(world.fake.token)
    world.fake.fail(/POST .*keys/, { status: 422, body: { id: 'x', message: `you sent ${world.fake.token}` } })
    const failure = await failureOf(world.settle(world.context({}, { token }), events))
    await world.settle(world.context({}, { token }), events)
    const all = JSON.stringify([events, failure.message, failure.detail, failure.remedy, await world.plan()])
    expect(all).not.toContain(reveal(token))
    expect(
      world.fake
        .calls()
        .map(({ path, body }) => path + body)
        .join(),
    ).not.toContain(reveal(token))
  })
})

describe('pages', () => {
  it('reads a list whole, from our own endpoint only', async () => {
    for (let number = 0; number < 450; number += 1) world.fake.add({ name: `web-${number}` })
    const [all] = await world.open().ask([doList('/v2/droplets')])
    expect(JSON.parse(all?.stdout ?? '').droplets).toHaveLength(450)
    expect(world.fake.calls().map(({ path }) => path)).toEqual([
      '/v2/droplets?per_page=200',
      '/v2/droplets?per_page=200&page=2',
      '/v2/droplets?per_page=200&page=3',
    ])
  })

  it('finds the record and the firewall that come last', async () => {
    const of = world.context({ VALENCE_CLOUD_FIREWALL: true })
    await world.settle(of)
    const rule = { protocol: 'tcp', ports: '80' }
    const others = Array.from({ length: 401 }, (_, id) => ({
      ...{ id: `f${id}`, name: `f${id}`, inbound_rules: [rule], outbound_rules: [], droplet_ids: [], tags: [] },
    }))
    world.fake.firewalls.unshift(...others)
    world.fake.domains
      .get('example.com')
      ?.unshift(...others.map((_, id) => ({ id: 5000 + id, type: 'TXT', name: `t${id}`, data: 'x', ttl: 60 })))
    expect(isConverged(await world.plan(of))).toBe(true)
  })
})

describe('two runs at once', () => {
  it('make one droplet when the second looks after the first has asked for it', async () => {
    world.fake.bootMs = 300
    const first = world.settle()
    const plan = await world.plan()
    await until('the first droplet', 10_000, async () => world.fake.droplets[0])
    // The second planned before there was one: it looks again before it asks.
    const create = plan.steps.flatMap(changesOf).find(({ say }) => say.startsWith('droplet'))
    const lines: string[] = []
    const outputs = await world.open().run(create?.run ?? [], (line) => lines.push(line))
    expect(outputs.map(({ code }) => code)).toEqual([0, 0])
    expect(lines[0]).toBe('not sent, since there are droplets by now')
    await first
    expect(world.fake.droplets).toHaveLength(1)
  })

  it('are told when both were faster than the list', async () => {
    await world.settle()
    world.fake.add({ tags: ['managed-by:infra'] })
    const failure = await failureOf(Promise.resolve(world.plan()).then(assertSound))
    expect(failure.message).toContain('there are 2 droplets of the name valence-pod')
  })
})
