import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCli } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'

const without = {
  DIGITALOCEAN_TOKEN: undefined,
  KUBECONFIG: undefined,
  KUBE_CONTEXT: undefined,
  AWS_PROFILE: undefined,
}

describe.concurrent('status without what leads to the cluster', () => {
  test.each<[workspace: 'cluster' | 'stoat', line: string]>([
    ['cluster', 'DISCORD_BOT_ID=1331474398296727582'],
    ['stoat', 'STOAT_DOMAIN=stoat.example.org'],
  ])('of %s tells what is lacking, and shows nothing as absent', async (workspace, line) => {
    const root = tempFolder()
    writeFileSync(join(root, `.env.${workspace}.staging`), `${line}\n`, { mode: 0o600 })
    const env = { ...without, HOME: root, AWS_ENDPOINT_URL: 'http://127.0.0.1:2' }
    const { code, stdout, stderr } = await runCli(workspace, ['status', '--env', 'staging'], { root, env })
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(
        'DIGITALOCEAN_TOKEN is not set: whether there is a cluster discord-bot-cluster to look into',
      ),
    ])
    expect(stdout).not.toMatch(/NAME +READY|never|not there/)
    if (workspace === 'cluster') expect(stdout).toMatch(/^cluster \(environment staging\) {2}.*discord-bot-cluster\n/)
  })
})
