import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { deployment } from '@infra/shared/platform/workload'
import { retiredKeys } from '@infra/shared/steps/aws/iam-keys'
import { botSecrets, type ClusterContext } from '../context.ts'
import { discordBot } from '../manifests/discord-bot.ts'
import { imageSteps } from '../parts/images.ts'
import { botKey, botKeyStore, latestOf } from '../parts/kubernetes.ts'
import { namespaceSteps } from '../parts/namespace.ts'

export default script(
  'discord-bot',
  { about: 'the Discord bot', tags: ['workloads', 'bot'] },
  (context: ClusterContext) => {
    const { env, aws, folder } = context
    const { key } = namespaceSteps(context)
    const after = key ? [key] : []
    const store = botKeyStore(env, folder)
    const steps = deployment(context, 'discord-bot', {
      objects: discordBot({
        image: env.DISCORD_BOT_IMAGE ?? latestOf('discord-bot'),
        secrets: botSecrets(env),
        key: store && botKey,
        env: {
          DISCORD_BOT_ID: env.DISCORD_BOT_ID,
          DISCORD_GUILD_ID: env.DISCORD_GUILD_ID,
          LITELLM_BASE_URL: env.LITELLM_BASE_URL,
          AWS_REGION: env.AWS_REGION,
          AWS_ENDPOINT_URL: env.AWS_ENDPOINT_URL,
          BOT_USERNAME: env.BOT_USERNAME,
          OTHER_BOT_USERNAME: env.OTHER_BOT_USERNAME,
          STALENESS_MINUTES: env.STALENESS_MINUTES,
        },
      }),
      workloads: ['deployment/discord-bot'],
      gets: [
        ...imageSteps(context, 'discord-bot').map((from) => ({ from, what: 'its new image' })),
        ...after.map((from) => ({ from, what: 'its new access key' })),
      ],
    })
    // What a rotation left is deleted once nothing uses it any more.
    return store ? [...steps, retiredKeys(aws, { user: env.BOT_IAM_USER, store, after: [...after, ...steps] })] : steps
  },
)

standalone(import.meta.url)
