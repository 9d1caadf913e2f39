import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Moto, startMoto } from '../lab/moto.ts'
import { must, run } from '../lab/run.ts'
import { runCli } from '../support/cli.ts'
import { inTurn, ratioLine } from './measure.ts'

const region = 'ca-central-1'

/** A no-op plan of the cluster's AWS scripts against `terraform plan` over the same resources, each in its own fake AWS. */
export async function benchAws(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-aws-'))
  const servers: Moto[] = []
  try {
    const [ours, theirs] = [await startMoto(), await startMoto()]
    servers.push(ours, theirs)
    const terraform = await terraformIn(folder, theirs)
    if (!terraform) {
      console.log('aws: no terraform with its aws provider here (TF_PLUGIN_DIR names a folder that has it): left out')
      return
    }
    const cluster = clusterIn(folder, ours)
    await cluster('deploy', '--yes', '--tags', 'aws', '--skip-verification')
    const times = await inTurn(3, { plan: () => cluster('plan', '--tags', 'aws'), terraform })
    console.log(ratioLine('no-op plan / terraform plan, AWS', times.plan ?? [], times.terraform ?? [], 0.25))
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    await rm(folder, { recursive: true, force: true })
  }
}

function clusterIn(root: string, { endpoint, env: { PATH } }: Moto) {
  const env = {
    PATH,
    AWS_REGION: region,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    DISCORD_TOKEN: 'a-token-'.repeat(9),
    DISCORD_BOT_ID: '1331474398296727582',
    DISCORD_GUILD_ID: '1007381699346301038',
    LITELLM_BASE_URL: 'http://litellm.example.internal:4000',
    LITELLM_API_KEY: 'sk-of-the-bench',
  }
  return async (...args: string[]) => {
    const { code, stderr, stdout } = await runCli('cluster', args, { root, env })
    if (code !== 0) throw new Error(`bench: ${args.join(' ')} ended with ${code}: ${stderr}`)
    if (args[0] === 'plan' && !stdout.includes('nothing to change')) throw new Error(`bench: not a no-op: ${stdout}`)
  }
}

/** Makes the resources by Terraform, and gives what plans them again; undefined where it cannot. */
async function terraformIn(folder: string, { endpoint }: Moto): Promise<(() => Promise<void>) | undefined> {
  if ((await run('sh', ['-c', 'command -v terraform'])).code !== 0) return undefined
  await copyFile(join(import.meta.dirname, 'cluster.tf'), join(folder, 'cluster.tf'))
  await writeFile(join(folder, 'terraform.tfvars'), `endpoint = "${endpoint}"\n`)
  await writeFile(join(folder, 'terraformrc'), '')
  const env = {
    TF_CLI_CONFIG_FILE: join(folder, 'terraformrc'),
    CHECKPOINT_DISABLE: '1',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  const plugins = process.env.TF_PLUGIN_DIR ? [`-plugin-dir=${process.env.TF_PLUGIN_DIR}`] : []
  const options = { cwd: folder, env }
  const init = await run('terraform', ['init', '-input=false', '-no-color', ...plugins], options)
  if (init.code !== 0) return undefined
  await must('terraform', ['apply', '-auto-approve', '-input=false', '-no-color'], options)
  return async () => {
    const said = await must('terraform', ['plan', '-input=false', '-no-color'], options)
    if (!said.includes('No changes.')) throw new Error(`bench: not a no-op: ${said}`)
  }
}
