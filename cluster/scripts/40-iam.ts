import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { inlinePolicy, programUser } from '@infra/shared/steps/aws/iam'
import { type ClusterContext, ownTags } from '../context.ts'
import { botPolicy } from '../parts/bot-policy.ts'

export default script(
  'iam',
  { about: "the bot's user and what it may do; none with keys of your own (BOT_AWS_ACCESS_KEY_ID)", tags: ['aws'] },
  ({ env, aws }: ClusterContext, add) => {
    if (env.BOT_AWS_ACCESS_KEY_ID) return
    const name = env.BOT_IAM_USER
    const user = add(programUser(aws, { name, tags: ownTags(name) }))
    add(inlinePolicy(aws, { user: name, name: 'discord-bot', document: botPolicy(aws.place), dependsOn: [user] }))
  },
)

standalone(import.meta.url)
