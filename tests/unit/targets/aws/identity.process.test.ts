import { chmodSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { reveal } from '@infra/shared/command/secret'
import { raw } from '@infra/shared/command/sh'
import { awsAccount } from '@infra/shared/targets/aws/aws'
import { credentialsOf } from '@infra/shared/targets/aws/credentials'
import { readAccess } from '@infra/shared/targets/kubernetes/kubeconfig'
import { kubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

const folder = tempFolder()
const before = { ...process.env }
const half = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const lasts = (seconds: number) => writeFileSync(join(folder, 'seconds'), `${seconds}\n`)

function program(name: string, lines: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${lines}\n`)
  chmodSync(join(folder, name), 0o755)
}

/** Stands for STS, in the words of which everybody is somebody. */
const sts = createServer((_, response) => {
  const who = '<Arn>arn:aws:iam::123456789012:user/x</Arn><Account>123456789012</Account>'
  const result = `<GetCallerIdentityResult>${who}</GetCallerIdentityResult>`
  response.end(`<GetCallerIdentityResponse>${result}</GetCallerIdentityResponse>`)
})

beforeAll(async () => {
  await new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve))
  // A profile that was moved to SSO while its former keys were forgotten: this process takes the one, the CLI the other.
  const sso = 'sso_start_url = https://x.awsapps.com/start\nsso_region = ca-central-1\nsso_account_id = 222222222222'
  const config = `[profile moved]\n${sso}\nsso_role_name = ops\n[profile brief]\ncredential_process = ${folder}/sign-in\n`
  writeFileSync(join(folder, 'config'), config)
  const keys = `aws_access_key_id = AKIAFORGOTTENEXAMPLE\naws_secret_access_key = ${half}`
  writeFileSync(join(folder, 'credentials'), `[moved]\n${keys}\n`)
  program(
    'sign-in',
    `echo >>${folder}/times; read -r seconds <${folder}/seconds
printf '{"Version":1,"AccessKeyId":"ASIA%s","SecretAccessKey":"${half}","SessionToken":"t","Expiration":"%s"}' \\
  "$(wc -l <${folder}/times)" "$(date -u -d "+$seconds seconds" +%Y-%m-%dT%H:%M:%SZ)"`,
  )
  for (const name of ['aws', 'kubectl'])
    program(name, `echo ${name} "\${AWS_ACCESS_KEY_ID-none}" "\${AWS_SESSION_TOKEN-}" "\${AWS_PROFILE-}"`)
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  const files = { AWS_CONFIG_FILE: join(folder, 'config'), AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials') }
  Object.assign(process.env, { ...files, AWS_EC2_METADATA_DISABLED: 'true', PATH: `${folder}:${process.env.PATH}` })
})
afterAll(() => {
  process.env = before
  sts.close()
})

const open = (cliOnly: boolean) => {
  const endpoint = `http://127.0.0.1:${(sts.address() as AddressInfo).port}`
  return awsAccount({ region: 'ca-central-1', account: '123456789012', endpoint, profile: 'moved', cliOnly })
}
const both = raw('aws sts get-caller-identity; kubectl get pods')

it('changes are made as whom the questions were asked, and nobody else in the line becomes that', async () => {
  const aws = open(false)
  await aws.identify?.()
  const [made] = await aws.run([both], () => {})
  expect(made?.stdout).toBe('aws AKIAFORGOTTENEXAMPLE  moved\nkubectl none  moved\n')
  const kubeconfig = {
    contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
    clusters: [{ name: 'one', cluster: { server: 'https://one.example.com' } }],
  }
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig))
  const access = () => readAccess(join(folder, 'kubeconfig'), 'one')
  const kube = kubernetes({
    access,
    placeholderName: 'one',
    cache: folder,
    env: { AWS_PROFILE: 'moved' },
    credentialEnv: aws.credentialEnv,
  })
  const [applied] = await kube.run([both], () => {})
  expect(applied?.stdout).toBe(made?.stdout)
})

it('where the CLI asks as well, it finds its credentials itself', async () => {
  const [made] = await open(true).run([both], () => {})
  expect(made?.stdout).toBe('aws none  moved\nkubectl none  moved\n')
})

it('the token by which kubectl signs in is not the aws CLI’s', async () => {
  const endpoint = `http://127.0.0.1:${(sts.address() as AddressInfo).port}`
  const kubectlEnv = { DIGITALOCEAN_ACCESS_TOKEN: 'of-doctl' }
  const aws = awsAccount({ region: 'ca-central-1', account: '123456789012', endpoint, profile: 'moved', kubectlEnv })
  for (const name of ['aws', 'kubectl'])
    program(name, `echo ${name} "\${AWS_ACCESS_KEY_ID-none}" "\${DIGITALOCEAN_ACCESS_TOKEN-}"`)
  await aws.identify?.()
  const [made] = await aws.run([both], () => {})
  expect(made?.stdout).toBe('aws AKIAFORGOTTENEXAMPLE \nkubectl none of-doctl\n')
})

it('keys are looked up again before they would expire in the middle of something', async () => {
  const findKeys = credentialsOf(undefined, 'brief')
  const id = async (minLifetimeMs?: number) => {
    const keys = await findKeys(minLifetimeMs)
    return keys && reveal(keys.id)
  }
  lasts(600)
  expect([await id(), await id()]).toEqual(['ASIA1', 'ASIA1'])
  lasts(3600)
  expect(await Promise.all([id(900_000), id(900_000)])).toEqual(['ASIA2', 'ASIA2'])
  expect([await id(), await id(900_000)]).toEqual(['ASIA2', 'ASIA2'])
  program('sign-in', 'exit 1')
  expect(await id(7_200_000)).toBe('ASIA2')
})
