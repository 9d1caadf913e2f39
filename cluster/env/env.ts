import { url } from '@infra/shared/env/network'
import { awsKeyId, awsSecretKey, token } from '@infra/shared/env/secrets'
import { awsAccount, awsRegion, flag, matching } from '@infra/shared/env/text'
import { type EnvOf, schema, variable } from '@infra/shared/env/variable'
import { kubernetesPlace, kubernetesVariables } from '@infra/shared/platform/env'
import { doksVariables } from './doks.ts'
import { imageVariables } from './images.ts'
import { workloadVariables } from './workloads.ts'

const [aws, tables, bot] = ['AWS', 'DynamoDB', 'Bot']

// By its files it is seen that the image has to be built anew.
const botContext =
  'Set BOT_CONTEXT to the folder of all that the image is made of: the application and, for a template, what that uses.'

export const clusterSchema = schema(
  'cluster',
  'Discord bot cluster',
  {
    AWS_REGION: variable(awsRegion().prefault('ca-central-1'), {
      group: aws,
      description: 'Region of the tables, queues and registries',
      example: 'ca-central-1',
      tfvar: 'region',
      common: true,
    }),
    AWS_PROFILE: variable(matching(/^[^\p{Cc}[\]]+$/u, 'the name of an AWS profile').optional(), {
      group: aws,
      description: "Profile of the aws CLI's own configuration",
      example: 'discord-bot',
      common: true,
      unset: "the aws CLI's own chain decides",
    }),
    AWS_ACCESS_KEY_ID: variable(awsKeyId().optional(), {
      group: aws,
      description: 'Access key, instead of a profile',
      tfvar: 'aws_access_key',
      example: 'AKIA...',
      placeholder: 'AKIA...',
      secret: true,
      common: true,
      unset: "`AWS_PROFILE` or the aws CLI's own chain decides",
    }),
    AWS_SECRET_ACCESS_KEY: variable(awsSecretKey().optional(), {
      group: aws,
      description: 'Secret half of the access key',
      tfvar: 'aws_secret_key',
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
      description: 'The AWS account; a run with credentials of another account is refused',
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
    DYNAMODB_KEYS: variable(
      matching(
        /^[\w.-]+(\/[\w.-]+)?=[\w.-]+(:[SNB])?(\+[\w.-]+(:[SNB])?)?(,[\w.-]+(\/[\w.-]+)?=[\w.-]+(:[SNB])?(\+[\w.-]+(:[SNB])?)?)*$/,
        'TABLE=HASH or TABLE=HASH+RANGE, of an index TABLE/INDEX=…, with :N behind a number',
      ).optional(),
      {
        group: tables,
        description: "Other keys of tables and indexes, if the bot's code uses them",
        example: 'discord-messages=threadId+sortKey,discord-messages/TimestampIndex=threadId+timestamp:N',
        unset: 'the keys in `cluster/scripts/10-dynamodb.ts`',
      },
    ),
    DYNAMODB_TTL: variable(
      matching(/^[\w.-]+=[\w.-]+(,[\w.-]+=[\w.-]+)*$/, 'TABLE=ATTRIBUTE, with commas between').optional(),
      {
        group: tables,
        description: 'Other TTL attributes of tables',
        example: 'discord_executions=expires_at',
        unset: '`ttl`',
      },
    ),
    BOT_IAM_USER: variable(matching(/^[\w+=,.@-]{1,64}$/, 'a name of an IAM user').prefault('discord-bot'), {
      group: bot,
      description: "Name of the bot's own IAM user; the tool creates its access key and stores it only in the cluster",
      example: 'discord-bot',
    }),
    BOT_AWS_ACCESS_KEY_ID: variable(awsKeyId().optional(), {
      group: bot,
      description: 'Your own access key for the bot, instead of a new IAM user',
      example: 'AKIA...',
      placeholder: 'AKIA...',
      secret: true,
      unset: 'the bot gets a user of its own',
    }),
    BOT_AWS_SECRET_ACCESS_KEY: variable(awsSecretKey().optional(), {
      group: bot,
      description: 'Secret half of that key',
      example: '...',
      placeholder: '...',
      secret: true,
    }),
    ...kubernetesVariables,
    ...doksVariables,
    ...imageVariables,
    ...workloadVariables,
  },
  [
    // With one half alone the aws CLI's own chain would choose the account.
    { kind: 'all or none', of: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'], always: true },
    { kind: 'at most one', of: ['BOT_DOCKERFILE', 'BOT_PACKER_TEMPLATE'] },
    { kind: 'needs', of: ['BOT_DOCKERFILE', 'BOT_CONTEXT'], remedy: botContext },
    { kind: 'needs', of: ['BOT_PACKER_TEMPLATE', 'BOT_CONTEXT'], remedy: botContext },
    { kind: 'all or none', of: ['BOT_AWS_ACCESS_KEY_ID', 'BOT_AWS_SECRET_ACCESS_KEY'] },
  ],
  [kubernetesPlace, ['BOT_IAM_USER', 'AWS_REGION', 'AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_ENDPOINT_URL']],
)

export type ClusterEnv = EnvOf<typeof clusterSchema>
