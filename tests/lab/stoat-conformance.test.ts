import { afterAll, beforeAll, describe, test } from 'vitest'
import { requireLab, title } from './prerequisites.ts'
import { judgements, wholeRound } from './stoat/conformance.ts'
import { startPlain } from './stoat/plain.ts'
import { type Platform, startAll } from './stoat/platform.ts'
import { record } from './stoat/recorded.ts'

const skip = requireLab('stoat')
// Upstream's own programs, built by hand, in the place of the stand-ins.
const upstream = process.env.STOAT_UPSTREAM || undefined

describe.skipIf(skip)(title(`what ${upstream ? 'upstream' : 'stand-ins'} of Stoat do`, skip), () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await startPlain(upstream)
    await startAll(platform)
  })
  afterAll(() => platform?.end())

  test.runIf(upstream)('are recorded', async () => record(await wholeRound(platform)))
  test.each(judgements)('$about', async ({ judge }) => {
    await judge(platform)
  })
})
