import { networks, url } from '@infra/shared/env/network'
import { hidden } from '@infra/shared/env/parsed'
import { parseStrong, token } from '@infra/shared/env/secrets'
import { choice, flag, integer, matching, snowflake } from '@infra/shared/env/text'
import { type VariableMeta, variable } from '@infra/shared/env/variable'
import { ROLLOUT_TIMEOUT, STORAGE_CLASS } from '@infra/shared/platform/env'

const image = () => matching(/^[\w][\w./:@-]*$/, 'the name of an image')
const size = () => matching(/^[1-9]\d*[KMGT]i$/, 'a size such as 10Gi')

/** The group of what the bot finds in its environment. */
export const botGroup = 'Discord bot'
/** A variable that reaches the bot: by its Secret where it is `secret`, else as it is. */
const bot = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: botGroup, ...meta })
const workloads = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Workloads', ...meta })

/** What runs in the cluster, and what it is told. */
export const workloadVariables = {
  DISCORD_TOKEN: variable(
    token(/^\S{50,}$/, 'the token of a Discord bot (50 characters or more, no blanks)'),
    bot({
      tfvar: 'discord_token',
      description: "The bot's token",
      example: '...',
      placeholder: 'MTMz...',
      sample: () => 'sample.'.repeat(10),
      secret: true,
      remedy: 'make one: https://discord.com/developers/applications, Bot, Reset Token',
    }),
  ),
  DISCORD_BOT_ID: variable(
    snowflake(),
    bot({
      tfvar: 'discord_bot_id',
      description: "The bot's user",
      example: '1331474398296727582',
      placeholder: 'your-bot-id',
      remedy: 'copy it: https://discord.com/developers/applications, General Information, Application ID',
    }),
  ),
  DISCORD_GUILD_ID: variable(
    snowflake(),
    bot({
      tfvar: 'discord_guild_id',
      description: 'The server it works on',
      example: '1007381699346301038',
      placeholder: 'your-server-id',
      remedy: 'copy it in Discord, in Developer Mode: Copy Server ID in the menu of the server',
    }),
  ),
  LITELLM_BASE_URL: variable(
    url({ inCluster: true }).prefault('http://litellm.ai-platform.svc.cluster.local:4000'),
    bot({
      tfvar: 'litellm_base_url',
      description: 'Where LiteLLM is',
      example: 'http://litellm.ai-platform.svc.cluster.local:4000',
    }),
  ),
  LITELLM_API_KEY: variable(
    token(),
    bot({
      tfvar: 'litellm_api_key',
      description: 'Key of LiteLLM',
      example: 'sk-litellm-key',
      placeholder: 'sk-...',
      secret: true,
    }),
  ),
  BOT_USERNAME: variable(
    matching(/^\S(.{0,30}\S)?$/, 'a name of at most 32 characters').optional(),
    bot({ description: "The bot's own name", example: 'agentic-bot', unset: 'the bot takes it from Discord' }),
  ),
  OTHER_BOT_USERNAME: variable(
    matching(/^\S(.{0,30}\S)?$/, 'a name of at most 32 characters').optional(),
    bot({ description: 'A bot whose messages it ignores', example: 'other-bot', unset: 'there is none' }),
  ),
  STALENESS_MINUTES: variable(
    integer(1, 10080, 'a number of minutes').prefault('30'),
    bot({ description: 'Minutes without a message after which a session is stale', example: '30' }),
  ),
  DISCORD_BOT_IMAGE: variable(
    image().optional(),
    workloads({
      description: "The bot's image",
      example: 'registry.example.com/discord-bot@sha256:0123',
      unset: 'what `latest` is in ECR, by digest',
    }),
  ),
  BOT_USER: variable(
    integer(1, 4_294_967_294, 'the number of a user that is not root').prefault('1000'),
    workloads({
      description:
        "The user and group that the bot runs as, instead of the image's; they must be able to read its files",
      example: '1001',
    }),
  ),
  BOT_WRITABLE_ROOT: variable(
    flag().prefault('false'),
    workloads({
      description: "Whether the bot may write to its image's files; otherwise only to /tmp",
      example: 'true',
    }),
  ),
  DEV_SANDBOX_IMAGE: variable(
    image().optional(),
    workloads({
      description: "The sandbox's image",
      example: 'registry.example.com/dev-sandbox@sha256:0123',
      unset: 'what `latest` is in ECR, by digest',
    }),
  ),
  SANDBOX_REPOSITORY: variable(
    url().optional(),
    workloads({
      description: 'A git repository to clone into an empty workspace',
      example: 'https://github.com/example/app.git',
      unset: 'an empty one is made',
    }),
  ),
  SANDBOX_STORAGE: variable(
    size().prefault('10Gi'),
    workloads({ description: "Size of the sandbox's volume; the tool does not resize it", example: '20Gi' }),
  ),
  SANDBOX_SCOPE: variable(
    choice('cluster', 'namespace', 'none').prefault('cluster'),
    workloads({
      description:
        'What the sandbox may read with kubectl: all namespaces, its own or nothing; never Secrets, ConfigMaps and logs',
      example: 'namespace',
    }),
  ),
  SANDBOX_NETWORKS: variable(
    networks().optional(),
    workloads({
      description: 'Private networks that the sandbox may connect to',
      example: '10.1.0.0/16',
      unset: 'it reaches public addresses, DNS and the API server only',
    }),
  ),
  SANDBOX_MCP: variable(
    flag().prefault('false'),
    workloads({
      description: 'Whether the MCP servers run next to the sandbox: filesystem (8777), git (8778), shell (8779)',
      example: 'true',
    }),
  ),
  SANDBOX_MCP_IMAGE: variable(
    image().optional(),
    workloads({
      description: 'Their image, with supergateway, mcp-server-filesystem, mcp-server-git and mcp-shell-server',
      example: 'registry.example.com/mcp:1',
      unset: "the sandbox's, which has them when it is built here with SANDBOX_MCP",
    }),
  ),
  SANDBOX_MCP_COMMANDS: variable(
    matching(/^[\w.+-]+(,[\w.+-]+)*$/, 'names of programs, separated by commas').prefault(
      'cat,cp,curl,diff,find,git,grep,head,jq,ls,make,mkdir,mv,npm,npx,pip,pwd,rg,rm,sort,tail,touch,wc',
    ),
    workloads({
      description: 'Programs that the shell MCP server may run; it always refuses shells and interpreters',
      example: 'cat,git,ls,npm,rg',
    }),
  ),
  REDIS_IMAGE: variable(
    image().prefault('public.ecr.aws/docker/library/redis:7'),
    workloads({ description: 'The image of Redis', example: 'redis:7' }),
  ),
  REDIS_PASSWORD: variable(
    hidden((text) => {
      const strong = parseStrong(text)
      // None was taken before there were rules.
      if ('weak' in strong && strong.weak !== undefined) return { wrong: strong.weak }
      if ('wrong' in strong || /^[A-Za-z0-9][\w.~-]*$/.test(text)) return strong
      return {
        wrong: 'holds characters that have a meaning in the URL of a Redis',
        remedy: 'use letters, digits, - and _',
      }
    }).optional(),
    workloads({
      description:
        'Password of Redis; the bot gets it as `REDIS_PASSWORD` and in `REDIS_URL`, Stoat at its next deploy',
      example: '32 random bytes (openssl rand -hex 32)',
      placeholder: '...',
      secret: true,
      unset: 'Redis asks for none; a network policy says who may connect',
    }),
  ),
  REDIS_STORAGE: variable(
    size().prefault('1Gi'),
    workloads({ description: "Size of Redis's volume; the tool does not resize it", example: '5Gi' }),
  ),
  REDIS_CLAIM: variable(
    matching(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'the name of a claim template').prefault('data'),
    workloads({
      description: "Name of Redis's claim template: its claim is NAME-redis-0. For an existing Redis, set its name",
      example: 'redis-data',
    }),
  ),
  STORAGE_CLASS,
  ECR_REFRESH_IMAGE: variable(
    image().prefault('docker.io/alpine/k8s:1.35.8'),
    workloads({
      description:
        'An image with sh, aws and kubectl: renews the pull secret from inside the cluster. A copy of it in ECR works too, while a node caches it or the secret is valid',
      example: 'docker.io/alpine/k8s:1.35.8',
    }),
  ),
  ROLLOUT_TIMEOUT,
}
