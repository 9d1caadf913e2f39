import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deploy } from '@infra/shared/engine/deploy'
import { assertSound, makePlan } from '@infra/shared/engine/plan'
import type { AwsOptions } from '@infra/shared/targets/aws/aws'
import { describe, expect, it } from 'vitest'
import { runCli } from '../support/cli.ts'
import { account, desired, failureOf, quiet, secretKey, told, useAws } from './aws-lab.ts'
import { scratchFolder } from './cache.ts'
import { listen } from './http.ts'
import { requireLab, title } from './prerequisites.ts'

const skip = requireLab('moto')

describe.skipIf(skip)(title('the way to AWS', skip), () => {
  const lab = useAws()
  const { tableWork, writes } = lab

  it('says each fault on the way in one clear error', async () => {
    const fault = (options: Partial<AwsOptions>) => failureOf(makePlan(tableWork(desired, options), () => {}))
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
    const made = deploy(tableWork(desired), { ...quiet, agree: async () => {} })
    expect(await failureOf(made.finally(() => Object.assign(process.env, { PATH: path })))).toMatchObject({
      kind: 'error',
      message: 'the aws CLI is not installed',
    })
    expect(writes()).toEqual([])
  })

  it('finds the credentials of a profile as the CLI does, and needs no CLI to read', async () => {
    const before = { ...process.env }
    const file = join(await scratchFolder('aws'), 'credentials')
    await writeFile(file, `[bot]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = ${secretKey}\n`)
    const plan = (profile: string, more: Partial<AwsOptions> = {}) =>
      makePlan(tableWork(desired, { keys: undefined, profile, ...more }), () => {})
    try {
      process.env.AWS_SHARED_CREDENTIALS_FILE = file
      expect(told(await plan('bot', { cliOnly: true }))).toHaveLength(3)
      expect(await failureOf(plan('nobody'))).toMatchObject({ message: 'there is no AWS profile nobody' })
      process.env.PATH = '/nowhere'
      expect(told(await plan('bot'))).toHaveLength(3)
    } finally {
      Object.assign(process.env, before)
    }
  })

  it('shows account and region in the head of a plan, and what it costs at its end', async () => {
    const plan = async (env: Record<string, string> = {}) => {
      const root = await scratchFolder('aws')
      const { PATH } = process.env
      const keys = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: secretKey }
      const bot = {
        DISCORD_TOKEN: 'a-token-'.repeat(9),
        DISCORD_BOT_ID: '1331474398296727582',
        DISCORD_GUILD_ID: '1007381699346301038',
        LITELLM_BASE_URL: 'http://litellm.example.internal:4000',
        LITELLM_API_KEY: 'sk-of-the-lab',
      }
      const options = { root, env: { PATH, AWS_ENDPOINT_URL: lab.moto.endpoint, ...keys, ...bot, ...env } }
      return runCli('cluster', ['plan', '--tags', 'aws'], options)
    }
    const { code, stdout, stderr } = await plan()
    expect(code, stderr).toBe(0)
    expect(stderr).toContain(`cluster → aws ${account} ca-central-1 at ${lab.moto.endpoint}`)
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^cost a month.*DynamoDB \$5–20.*total ~\$100–125$/)
    expect(stdout).toContain('+  queue agentic-events-dlq')
    expect(stdout + stderr).not.toContain(secretKey)
    const wrong = await plan({ AWS_ACCOUNT_ID: '999999999999' })
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining(`belong to AWS account ${account}, not to 9`),
    ])
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
      const plan = await makePlan(tableWork({ ...desired, pointInTimeRecovery: false }, options), () => {})
      assertSound(plan)
      busy = Number.POSITIVE_INFINITY
      expect(await failureOf(makePlan(tableWork(desired, options), () => {}))).toMatchObject({
        kind: 'unreachable',
        message: 'AWS asks for fewer calls (throttling), again and again',
      })
    } finally {
      await gate.stop()
    }
  })
})
