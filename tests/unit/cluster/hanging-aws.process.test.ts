import { rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { secret } from '@infra/shared/command/secret'
import { awsAccount } from '@infra/shared/targets/aws/aws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clusterSettings } from '../../lab/cluster-settings.ts'
import { startCli } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'
import { until } from '../../support/wait.ts'

let server: Server
let endpoint: string
let root: string
const calls = new Set<Socket>()

beforeAll(async () => {
  // It takes calls, and answers none.
  server = createServer((socket) => void calls.add(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endpoint = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  root = tempFolder()
  const lines = Object.entries({ ...clusterSettings, AWS_ENDPOINT_URL: endpoint }).map(
    ([name, value]) => `${name}='${value}'\n`,
  )
  writeFileSync(join(root, '.env.cluster'), lines.join(''), { mode: 0o600 })
})
afterAll(() => {
  for (const socket of calls) socket.destroy()
  server.close()
  rmSync(root, { recursive: true, force: true })
})

test('every command that asks AWS says after ten seconds that it waits, and for whom', async () => {
  const commands = [['plan'], ['verify'], ['output', 'account_id'], ['status'], ['images']]
  const runs = commands.map((words) => startCli('cluster', words, { root }))
  const waits = new RegExp(`waiting for aws ca-central-1 at ${endpoint} to \\S.*: 10 s`)
  try {
    for (const [at, run] of runs.entries())
      await until(`${commands[at]} to say so`, 30_000, () => waits.test(run.said()) || undefined)
  } finally {
    for (const run of runs) run.kill('SIGKILL')
    await Promise.all(runs.map(({ ended }) => ended))
  }
})

test('an endpoint that never answers is given up, and named with what to do', async () => {
  const keys = { id: secret(clusterSettings.AWS_ACCESS_KEY_ID), secret: secret(clusterSettings.AWS_SECRET_ACCESS_KEY) }
  const before = calls.size
  const aws = awsAccount({ region: 'ca-central-1', endpoint, keys, replyMs: 200 })
  await expect(aws.identify?.()).rejects.toMatchObject({
    kind: 'unreachable',
    message: `${endpoint} does not answer as AWS does`,
    remedy: expect.stringContaining('AWS_ENDPOINT_URL'),
    detail: [expect.stringContaining('Connect timeout')],
  })
  expect(calls.size - before).toBe(3)
})
