import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { repository } from '@infra/shared/steps/aws/ecr'
import { type ClusterContext, ownTags } from '../context.ts'

/** The repositories, and how many images of each are kept. */
export const repositories = [
  { name: 'discord-bot', keep: 10 },
  { name: 'dev-sandbox', keep: 5 },
] as const

export default script(
  'ecr',
  { about: 'ECR repositories for the images of the bot and of the sandbox', tags: ['aws'] },
  ({ aws }: ClusterContext, add) => {
    const kind = { scanOnPush: true, mutableTags: true, encryption: 'AES256' } as const
    for (const { name, keep } of repositories) add(repository(aws, { ...kind, name, keep, tags: ownTags(name) }))
  },
)

standalone(import.meta.url)
