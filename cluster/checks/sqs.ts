import { randomUUID } from 'node:crypto'
import { awsAnswer, aws as call } from '@infra/shared/command/aws'
import { type Check, check, type Finding, fail, ok, warn } from '@infra/shared/engine/check'
import { queueState, queueUrl } from '@infra/shared/facts/aws/sqs'
import type { ClusterContext } from '../context.ts'
import { deadLettersOf, queues } from '../scripts/20-sqs.ts'

/** That each queue answers and sends what cannot be handled to its dead letters, and that messages travel. */
export function sqsChecks(context: ClusterContext): readonly Check[] {
  return queues.flatMap((name) => [route(context, name), roundTrip(context, deadLettersOf(name))])
}

const remedy = 'npm run plan -w cluster -- --tags sqs tells what differs; deploy makes it.'

function route({ aws }: ClusterContext, name: string): Check {
  const dead = deadLettersOf(name)
  return check(aws, {
    id: `sqs.${name}`,
    about: `queue ${name} answers, and gives up on a message after 3 receives`,
    remedy,
    ask: { queue: queueState(aws.place, name), dead: queueState(aws.place, dead) },
    judge({ queue, dead: target }) {
      if (!queue) return fail('there is no such queue')
      if (!target) return fail(`there is no queue ${dead}`)
      if (queue.redrive?.deadLetterTargetArn !== target.arn) return fail(`its dead letters do not go to ${dead}`)
      if (queue.redrive.maxReceiveCount !== 3)
        return fail(`it gives up after ${queue.redrive.maxReceiveCount} receives`)
      const allowed = target.redriveAllow
      if (allowed?.redrivePermission !== 'byQueue' || !allowed.sourceQueueArns.includes(queue.arn))
        return warn(`${dead} takes the dead letters of others as well`)
      return ok(`to ${dead}`)
    },
  })
}

/**
 * Sends, receives and deletes a marked message, in the queue of the dead letters: nobody consumes it, so that nobody
 * else takes the message, and receiving there does not bring anybody's message nearer to its last try.
 */
function roundTrip({ aws }: ClusterContext, name: string): Check {
  return {
    id: `sqs.${name}.round-trip`,
    about: `a message is sent to ${name}, received and deleted`,
    remedy,
    writes: true,
    async probe(): Promise<Finding> {
      const at = { QueueUrl: queueUrl(aws.place, name) }
      const send = async <T>(operation: string, input: Parameters<typeof call>[3]) =>
        awsAnswer<T>(await aws.send(call(aws.place, 'sqs', operation, { ...at, ...input })), /NonExistentQueue/)
      // Counted before ours is among them.
      const counting = { AttributeNames: ['ApproximateNumberOfMessages'] }
      const before = await send<{ Attributes?: Record<string, string> }>('get-queue-attributes', counting)
      const count = Number(before?.Attributes?.ApproximateNumberOfMessages ?? 0)
      const mark = `infra verify ${randomUUID()}`
      if (!(await send('send-message', { MessageBody: mark }))) return fail('there is no such queue')
      // What is of others is hidden for half a minute, so that the next look finds what is behind.
      const look = { MaxNumberOfMessages: 10, VisibilityTimeout: 30, WaitTimeSeconds: 1 }
      for (let looks = 0; looks < 10; looks += 1) {
        const answer = await send<{ Messages?: { Body: string; ReceiptHandle: string }[] }>('receive-message', look)
        const ours = answer?.Messages?.find(({ Body }) => Body === mark)
        if (!ours) continue
        await send('delete-message', { ReceiptHandle: ours.ReceiptHandle })
        const travelled = 'sent, received, deleted'
        return count > 0 ? warn(`${travelled}; ${count} dead letters wait to be looked at`) : ok(travelled)
      }
      return warn(`sent, and not found again among the other messages; it is the one that says "${mark}"`)
    },
  }
}
