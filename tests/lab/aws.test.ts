import { deploy } from '@infra/shared/engine/deploy'
import { assertSound, makePlan } from '@infra/shared/engine/plan'
import type { AwsOptions } from '@infra/shared/targets/aws'
import { describe, expect, it } from 'vitest'
import { account, failureOf, quiet, useAws, wish } from './aws-lab.ts'
import { listen } from './http.ts'
import { requireLab, title } from './prerequisites.ts'

const skip = requireLab('moto')

describe.skipIf(skip)(title('the way to AWS', skip), () => {
  const lab = useAws()
  const { tableWork, writes } = lab

  it('says each fault on the way in one clear error', async () => {
    const fault = (options: Partial<AwsOptions>) => failureOf(makePlan(tableWork(wish, options), () => {}))
    expect(await fault({ keys: undefined })).toMatchObject({
      kind: 'unreachable',
      message: 'there are no AWS credentials',
    })
    expect(await fault({ endpoint: 'http://127.0.0.1:1' })).toMatchObject({
      kind: 'unreachable',
      message: 'http://127.0.0.1:1 does not answer as AWS does',
    })
    expect(await fault({ account: '999999999999' })).toMatchObject({
      kind: 'error',
      message: `these credentials belong to AWS account ${account}, not to 999999999999`,
    })
    expect(writes()).toEqual([])
    // A plan needs no CLI; what was agreed to is refused before anything is done.
    const path = process.env.PATH
    process.env.PATH = '/nowhere'
    const made = deploy(tableWork(wish), { ...quiet, agree: async () => {} })
    expect(await failureOf(made.finally(() => Object.assign(process.env, { PATH: path })))).toMatchObject({
      kind: 'error',
      message: 'the aws CLI is not installed',
    })
    expect(writes()).toEqual([])
  })

  it('comes again when it is throttled, and says so when that does not end', async () => {
    let busy = 0
    // Stands before moto and turns calls of DynamoDB away, in its own words: sts speaks others.
    const gate = await listen(['127.0.0.1'], 0, (request, response) => {
      const away = busy > 0 && request.headers['x-amz-target'] !== undefined
      if (away) busy -= 1
      void (async () => {
        const chunks: Buffer[] = []
        for await (const chunk of request) chunks.push(chunk as Buffer)
        const { host: _, 'content-length': __, connection: ___, ...headers } = request.headers
        const reply = away
          ? {
              status: 400,
              body: '{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"Rate exceeded"}',
            }
          : await fetch(lab.moto.endpoint, {
              method: 'POST',
              headers: headers as Record<string, string>,
              body: Buffer.concat(chunks),
            }).then(async (answer) => ({ status: answer.status, body: await answer.text() }))
        response.writeHead(reply.status, { 'content-type': 'application/x-amz-json-1.0' }).end(reply.body)
      })()
    })
    const options = { endpoint: `http://127.0.0.1:${gate.port}`, pauses: [0.1] }
    try {
      busy = 4 // a call is sent three times before it pauses
      const plan = await makePlan(tableWork({ ...wish, pointInTimeRecovery: false }, options), () => {})
      assertSound(plan)
      busy = Number.POSITIVE_INFINITY
      expect(await failureOf(makePlan(tableWork(wish, options), () => {}))).toMatchObject({
        kind: 'unreachable',
        message: 'AWS asks for fewer calls (throttling), again and again',
      })
    } finally {
      await gate.stop()
    }
  })
})
