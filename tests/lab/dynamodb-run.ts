import { parseArgs } from 'node:util'
import { secret } from '@infra/shared/command/secret'
import { deploy } from '@infra/shared/engine/deploy'
import { type TableOptions, table } from '@infra/shared/steps/aws/dynamodb'
import { awsAccount } from '@infra/shared/targets/aws/aws'

// A run that a test can kill: node run.mjs dynamodb-run.ts --endpoint URL --table JSON
const { values } = parseArgs({ options: { endpoint: { type: 'string' }, table: { type: 'string' } } })
const aws = awsAccount({
  region: 'ca-central-1',
  endpoint: values.endpoint,
  account: '123456789012',
  keys: { id: secret('AKIAIOSFODNN7EXAMPLE'), secret: secret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY') },
})
await deploy([{ script: 'dynamodb', steps: [table(aws, JSON.parse(values.table ?? '') as TableOptions)] }], {
  emit: () => {},
  stopping: () => false,
  holder: 'a run to be killed',
  lockTimeout: 0,
  agree: async () => {},
})
