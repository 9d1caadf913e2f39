import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { deployment } from '@infra/shared/platform/workload'
import { credentialsId, retiredKeys } from '@infra/shared/steps/aws/iam-keys'
import type { ClusterContext } from '../context.ts'
import { discordBot } from '../manifests/discord-bot.ts'
import { botSecrets, botVariables, declaredVariables } from '../parts/bot-variables.ts'
import { newImage } from '../parts/images.ts'
import { botKey, botKeyStore, latestOf } from '../parts/kubernetes.ts'

export default script(
  'discord-bot',
  { about: 'the Discord bot', tags: ['workloads', 'bot'] },
  (context: ClusterContext, add) => {
    const { env, aws, folder } = context
    const store = botKeyStore(env, folder)
    const bot = deployment(context, 'discord-bot', {
      objects: discordBot({
        image: env.DISCORD_BOT_IMAGE ?? latestOf('discord-bot'),
        secrets: botSecrets(env),
        key: store && botKey,
        env: botVariables(env),
        user: env.BOT_USER,
        writableRoot: env.BOT_WRITABLE_ROOT,
      }),
      workloads: ['deployment/discord-bot'],
      settable: declaredVariables,
      podInputs: [
        ...newImage(context, 'discord-bot'),
        ...(store ? [{ from: credentialsId(env.BOT_IAM_USER, store), what: 'its new access key' }] : []),
      ],
    })
    add(bot)
    // What a rotation left is deleted once nothing uses it any more.
    if (store) add(retiredKeys(aws, { user: env.BOT_IAM_USER, store, dependsOn: bot }))
  },
)

standalone(import.meta.url)
