import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requireLab, title } from './prerequisites.ts'
import * as conformance from './stoat/conformance.ts'
import { startPlain } from './stoat/plain.ts'
import { type Platform, startAll } from './stoat/platform.ts'
import { differences, record } from './stoat/recorded.ts'

const skip = requireLab('stoat')
// Upstream's own programs, built by hand, in the place of the stand-ins.
const upstream = process.env.STOAT_UPSTREAM || undefined

describe.skipIf(skip)(title(`what ${upstream ? 'upstream' : 'stand-ins'} of Stoat do`, skip), () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await startPlain(upstream)
    await startAll(platform)
  }, 900_000)
  afterAll(() => platform?.end())

  test('a whole round, from the account to its end', { timeout: 120_000 }, async () => {
    const exchanges = await conformance.wholeRound(platform)
    if (upstream) await record(exchanges)
    expect(await differences(exchanges)).toEqual([])
  })
  test('a stranger gets no events', () => conformance.refusesStranger(platform))
  test('health says 200 whatever is missing', { timeout: 120_000 }, () => conformance.alwaysHealthy(platform))
  test('a bad file key drops uploads, another one loses files', { timeout: 60_000 }, () =>
    conformance.dropUploads(platform),
  )
  test('a wrong password of RabbitMQ ends the api', { timeout: 60_000 }, () => conformance.endWithoutBroker(platform))
  test('missing exchanges lose acknowledgements for good', { timeout: 120_000 }, () =>
    conformance.loseAcknowledgements(platform),
  )
  test('nothing connects to RabbitMQ again', { timeout: 120_000 }, () => conformance.neverReconnect(platform))
  test('without Mongo nobody is logged in, after a while', { timeout: 200_000 }, () =>
    conformance.forgetSessions(platform),
  )
})
