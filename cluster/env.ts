import { url } from '@infra/shared/env/network'
import { awsKeyId, awsSecretKey, token } from '@infra/shared/env/secrets'
import { awsAccount, awsRegion, flag, matching } from '@infra/shared/env/text'
import { type EnvOf, schema, variable } from '@infra/shared/env/variable'

const aws = 'AWS'
const tables = 'DynamoDB'

export const clusterSchema = schema(
  'cluster',
  'Discord bot cluster',
  {
    AWS_REGION: variable(awsRegion().prefault('ca-central-1'), {
      group: aws,
      description: 'Region of the tables, queues and registries',
      example: 'ca-central-1',
      common: true,
    }),
    AWS_PROFILE: variable(matching(/^[\w.@+-]+$/, 'the name of an AWS profile').optional(), {
      group: aws,
      description: "Profile of the aws CLI's own configuration",
      example: 'discord-bot',
      common: true,
      unset: "the aws CLI's own chain decides",
    }),
    AWS_ACCESS_KEY_ID: variable(awsKeyId().optional(), {
      group: aws,
      description: 'Access key, instead of a profile',
      example: 'AKIA...',
      placeholder: 'AKIA...',
      secret: true,
      common: true,
      unset: "`AWS_PROFILE` or the aws CLI's own chain decides",
    }),
    AWS_SECRET_ACCESS_KEY: variable(awsSecretKey().optional(), {
      group: aws,
      description: 'Secret half of the access key',
      example: '...',
      placeholder: '...',
      secret: true,
      common: true,
    }),
    AWS_SESSION_TOKEN: variable(token().optional(), {
      group: aws,
      description: 'Token of temporary credentials (an access key that begins with ASIA)',
      example: '...',
      placeholder: '...',
      secret: true,
      common: true,
    }),
    AWS_ACCOUNT_ID: variable(awsAccount().optional(), {
      group: aws,
      description: 'The account it all belongs to; a run with credentials of another one is refused',
      example: '123456789012',
      common: true,
      unset: 'whichever account the credentials belong to',
    }),
    AWS_ENDPOINT_URL: variable(url().optional(), {
      group: aws,
      description: 'Another AWS API, for rehearsals',
      example: 'http://127.0.0.1:5000',
      common: true,
      unset: 'the real AWS',
    }),
    CLUSTER_PITR: variable(flag().prefault('false'), {
      group: tables,
      description: 'Point-in-time recovery of the tables, which AWS bills by size',
      example: 'true',
    }),
  },
  [{ kind: 'all or none', of: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] }],
)

export type ClusterEnv = EnvOf<typeof clusterSchema>
