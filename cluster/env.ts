import { url } from '@infra/shared/env/network'
import { awsKeyId, awsSecretKey, token } from '@infra/shared/env/secrets'
import { awsAccount, awsRegion, flag, matching, snowflake } from '@infra/shared/env/text'
import { type EnvOf, schema, variable } from '@infra/shared/env/variable'

const [aws, tables, bot, discord, lite, cluster] = ['AWS', 'DynamoDB', 'Bot', 'Discord', 'LiteLLM', 'Kubernetes']

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
    DISCORD_TOKEN: variable(token(/^\S{50,100}$/, 'a Discord bot token (50 characters or more, no blanks)'), {
      group: discord,
      description: "The bot's token",
      example: 'the token of the developer portal, 70 characters or so',
      sample: 'sample.'.repeat(10),
      placeholder: '...',
      secret: true,
      tfvar: 'discord_token',
    }),
    DISCORD_BOT_ID: variable(snowflake(), {
      group: discord,
      description: "The bot's user id",
      example: '1331474398296727582',
      tfvar: 'discord_bot_id',
    }),
    DISCORD_GUILD_ID: variable(snowflake(), {
      group: discord,
      description: 'The server (guild) that the bot serves',
      example: '1007381699346301038',
      tfvar: 'discord_guild_id',
    }),
    LITELLM_BASE_URL: variable(url().prefault('http://litellm.ai-platform.svc.cluster.local:4000'), {
      group: lite,
      description: 'Where the bot finds LiteLLM, as seen from the cluster',
      example: 'http://litellm.ai-platform.svc.cluster.local:4000',
      tfvar: 'litellm_base_url',
    }),
    LITELLM_API_KEY: variable(token(), {
      group: lite,
      description: 'Key of LiteLLM',
      example: 'sk-...',
      sample: 'sk-sample',
      placeholder: '...',
      secret: true,
      tfvar: 'litellm_api_key',
    }),
    BOT_IAM_USER: variable(matching(/^[\w+=,.@-]{1,64}$/, 'a name of an IAM user').prefault('discord-bot'), {
      group: bot,
      description: "Name of the bot's own IAM user; its access key is made here and kept in the cluster only",
      example: 'discord-bot',
    }),
    BOT_AWS_ACCESS_KEY_ID: variable(awsKeyId().optional(), {
      group: bot,
      description: 'An access key of yours for the bot: no user is made then',
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
    DIGITALOCEAN_TOKEN: variable(token(/^\S{20,}$/, 'a DigitalOcean API token').optional(), {
      group: cluster,
      description: "DigitalOcean's API token, to find or make the Kubernetes cluster",
      example: 'dop_v1_...',
      placeholder: 'dop_v1_...',
      secret: true,
      common: true,
      unset: 'the cluster is one of your own (KUBECONFIG)',
      tfvar: 'do_token',
    }),
    DO_CLUSTER_NAME: variable(
      matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a name of a cluster').prefault('discord-bot-cluster'),
      {
        group: cluster,
        description: 'Name of the Kubernetes cluster at DigitalOcean',
        example: 'discord-bot-cluster',
        tfvar: 'do_cluster_name',
      },
    ),
  },
  [
    { kind: 'all or none', of: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] },
    { kind: 'all or none', of: ['BOT_AWS_ACCESS_KEY_ID', 'BOT_AWS_SECRET_ACCESS_KEY'] },
  ],
)

export type ClusterEnv = EnvOf<typeof clusterSchema>
