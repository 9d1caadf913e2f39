import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type CliResult, runCli } from '../../support/cli.ts'
import { folder } from '../env/place.ts'

const bot = 'the-token-'.repeat(7)
const tfvars = `region = "eu-west-1"
discord_token = "${bot}"
discord_bot_id = "1331474398296727582"
discord_guild_id = "1007381699346301038"
litellm_base_url = "http://litellm.example.internal:4000"
litellm_api_key = "sk-0123456789abcdef"
stoat_domain = "stoat.example.org"
`
const validate = (root: string, file: string): Promise<CliResult> =>
  runCli('cluster', ['validate', '--from-tfvars', file], { root, env: { INIT_CWD: root } })

test('validate --from-tfvars writes the files, tells what it took and no secret, then judges them', async () => {
  const root = folder({ 'old/terraform.tfvars': tfvars })
  const { code, stdout, stderr } = await validate(root, 'old/terraform.tfvars')
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('made .env.cluster: AWS_REGION, DISCORD_TOKEN, DISCORD_BOT_ID,')
  expect(stderr).toContain('left out, since cluster has no variable for it: stoat_domain')
  expect(existsSync(join(root, '.env.stoat'))).toBe(false)
  expect(stderr).toContain('cluster: the environment is valid (6 variables: 6 from .env.cluster; the others')
  expect(stdout + stderr).not.toContain(bot)
  expect(statSync(join(root, '.env.cluster')).mode & 0o777).toBe(0o600)
  const before = readFileSync(join(root, '.env.cluster'), 'utf8')
  writeFileSync(join(root, 'new.tfvars'), tfvars.replace('eu-west-1', 'eu-west-2'))
  const again = await validate(root, 'new.tfvars')
  expect(again.stderr).toContain('AWS_REGION is set in .env.cluster already (another value, which stays)')
  expect(readFileSync(join(root, '.env.cluster'), 'utf8')).toBe(before)
})

test('what cannot be read is told by its line; nothing is written', async () => {
  const root = folder({ 'terraform.tfvars': `${tfvars}more = ["${bot}"\n` })
  const broken = await validate(root, 'terraform.tfvars')
  expect([broken.code, existsSync(join(root, '.env.cluster'))]).toEqual([1, false])
  expect(broken.stderr).toContain('line 8: more has no closing ]')
  expect(broken.stdout + broken.stderr).not.toContain(bot)
  const missing = await validate(root, 'none.tfvars')
  expect([missing.code, missing.stderr]).toEqual([64, expect.stringContaining('none.tfvars cannot be read (ENOENT)')])
})

test('a file that is none of Terraform is told in a few lines', async () => {
  const root = folder({ 'README.md': '# Title\n\nOne line of many, and no more.\n'.repeat(50) })
  const { code, stderr } = await validate(root, 'README.md')
  expect([code, existsSync(join(root, '.env.cluster'))]).toEqual([1, false])
  expect(stderr.trim().split('\n').length).toBeLessThan(15)
  expect(stderr).toMatch(/and 4\d more lines/)
  expect(stderr).toContain('Is it a terraform.tfvars?')
})
