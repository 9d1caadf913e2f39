import { parseArgs } from 'node:util'
import { secret } from '@infra/shared/command/secret'
import { raw } from '@infra/shared/command/sh'
import { deploy } from '@infra/shared/engine/deploy'
import { botCredentials } from '@infra/shared/steps/aws/iam-keys'
import { awsAccount } from '@infra/shared/targets/aws/aws'
import { parameterStore } from './key-store.ts'

// A run that a test can kill while the key is made and not kept yet: node run.mjs iam-keys-run.ts --endpoint URL
const { values } = parseArgs({ options: { endpoint: { type: 'string' } } })
const aws = awsAccount({
  region: 'ca-central-1',
  endpoint: values.endpoint,
  account: '123456789012',
  keys: { id: secret('AKIAIOSFODNN7EXAMPLE'), secret: secret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY') },
})
// What it began goes on without it, so this one never comes to keeping the key.
const store = { ...parameterStore(values.endpoint ?? ''), keep: raw('kill -9 $$') }
await deploy([{ script: 'namespace', steps: [botCredentials(aws, { user: 'discord-bot', store })] }], {
  emit: () => {},
  stopping: () => false,
  holder: 'a run to be killed',
  lockTimeout: 0,
  agree: async () => {},
})
