import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { retiredKeys } from '@infra/shared/steps/iam-keys'
import { startedWithKey } from '@infra/shared/steps/secret-key-store'
import { botSecrets, type ClusterContext } from '../cluster-context.ts'
import { botKeyStore, latestOf } from '../kubernetes.ts'
import { discordBot } from '../manifests/discord-bot.ts'
import { appSecret } from '../manifests/namespace.ts'
import { namespace } from '../manifests/pod.ts'
import { namespaceSteps } from '../namespace-steps.ts'
import { deployment } from '../workload.ts'

const bot = { workspace: 'cluster', namespace, secret: appSecret, deployment: 'discord-bot' }

export default script(
  'discord-bot',
  { about: 'the Discord bot', tags: ['workloads', 'bot'] },
  (context: ClusterContext) => {
    const { env, kube, aws, folder } = context
    const { key } = namespaceSteps(context)
    const after = key ? [key] : []
    const store = botKeyStore(env, folder)
    const steps = deployment(context, 'discord-bot', {
      objects: discordBot({
        image: env.DISCORD_BOT_IMAGE ?? latestOf('discord-bot'),
        secrets: botSecrets(env),
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
      between: (applied) => (store ? [startedWithKey(kube, { ...bot, after: [applied, ...after] })] : []),
    })
    // What a rotation left is deleted once nothing uses it any more.
    return store ? [...steps, retiredKeys(aws, { user: env.BOT_IAM_USER, store, after: [...after, ...steps] })] : steps
  },
)

standalone(import.meta.url)
