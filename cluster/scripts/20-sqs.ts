import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { queue } from '@infra/shared/steps/aws/sqs'
import { type ClusterContext, ownTags } from '../context.ts'

/** Each has a queue beside it, `<name>-dlq`, for messages that were received three times and never deleted. */
export const queues = ['agentic-events', 'discord-messages'] as const

export const deadLettersOf = (name: string) => `${name}-dlq`

const kind = { delay: 0, maxMessage: 262_144, retention: 14 * 86_400, receiveWait: 0, visibility: 30 }

export default script(
  'sqs',
  { about: 'SQS queues: agentic-events, discord-messages, and one for the dead letters of each', tags: ['aws'] },
  ({ aws }: ClusterContext, add) => {
    for (const name of queues) {
      const dead = deadLettersOf(name)
      const deadLetters = add(queue(aws, { ...kind, name: dead, deadLettersOf: [name], tags: ownTags(dead) }))
      const route = { queue: dead, after: 3 }
      add(queue(aws, { ...kind, name, deadLetters: route, tags: ownTags(name), dependsOn: [deadLetters] }))
    }
  },
)

standalone(import.meta.url)
