import { type AwsPlace, aws, awsUntil, explainAws as explain, type Json } from '../command/aws.ts'
import { awsGone } from '../command/aws-gone.ts'
import type { Tags } from '../command/aws-tags.ts'
import { type Change, changes, type Decision, noting, remove, type Step, step } from '../engine/step.ts'
import type { Target } from '../engine/target.ts'
import { tableState, tableTags } from '../facts/dynamodb.ts'
import { repositoryState, repositoryTags } from '../facts/ecr.ts'
import { ecrImages } from '../facts/ecr-images.ts'
import { accessKeys, attachedPolicies, iamUser, inlinePolicies } from '../facts/iam.ts'
import { queueState, queueTags, queueUrl } from '../facts/sqs.ts'

type OnAws = Target & { readonly place: AwsPlace }

/** What is kept unless somebody has typed its name. */
export interface RemovalOptions {
  readonly name: string
  readonly confirmed: boolean
  readonly after?: readonly Step[]
}

/** By this tag a thing is known to be ours: nothing else is ever removed. */
const own = (tags: Tags | null) => tags?.['managed-by'] === 'infra'

const call = (place: AwsPlace, service: string, operation: string, input: Readonly<Record<string, Json>>) =>
  aws(place, service, operation, input)

/** No table of this name: its protection is lifted and it is deleted, with all its items. */
export function noTable(on: OnAws, { name, confirmed, after = [] }: RemovalOptions): Step {
  const { place } = on
  const input = { TableName: name }
  return step({
    id: `no table ${name}`,
    on,
    after,
    ask: { table: tableState(place, name), tags: tableTags(place, name) },
    plan({ table, tags }) {
      if (!table) return changes([], 'there is none')
      const gone = awsGone(call(place, 'dynamodb', 'describe-table', input), 'ResourceNotFoundException', {
        say: `table ${name}`,
        seconds: 600,
      })
      const query = 'Table.TableStatus'
      const idle = awsUntil(aws(place, 'dynamodb', 'describe-table', input, { query }), 'ACTIVE', {
        say: `table ${name}`,
        seconds: 600,
      })
      const lift = call(place, 'dynamodb', 'update-table', { ...input, DeletionProtectionEnabled: false })
      const run = [
        ...(table.deletionProtection ? [lift, idle] : []),
        ...(table.status === 'DELETING' ? [] : [call(place, 'dynamodb', 'delete-table', input)]),
        gone,
      ]
      return unlessKept(`table ${name}`, own(tags), confirmed, remove(`table ${name}, all its items`, run, lost))
    },
  })
}

/** No queue of this name: it is deleted, with all its messages. */
export function noQueue(on: OnAws, { name, confirmed, after = [] }: RemovalOptions): Step {
  const { place } = on
  const input = { QueueUrl: queueUrl(place, name) }
  return step({
    id: `no queue ${name}`,
    on,
    after,
    ask: { queue: queueState(place, name), tags: queueTags(place, name) },
    plan({ queue, tags }) {
      if (!queue) return changes([], 'there is none')
      const look = call(place, 'sqs', 'get-queue-attributes', { ...input, AttributeNames: ['QueueArn'] })
      const gone = awsGone(look, 'NonExistentQueue\\|QueueDoesNotExist', { say: `queue ${name}`, seconds: 180 })
      const run = [call(place, 'sqs', 'delete-queue', input), gone]
      return unlessKept(`queue ${name}`, own(tags), confirmed, remove(`queue ${name}, all its messages`, run, lost))
    },
  })
}

/** No repository of this name, nor its images: they can be built again. */
export function noRepository(on: OnAws, name: string, after: readonly Step[] = []): Step {
  const { place } = on
  return step({
    id: `no repository ${name}`,
    on,
    after,
    ask: {
      repository: repositoryState(place, name),
      tags: repositoryTags(place, name),
      images: ecrImages(place, name),
    },
    plan({ repository, tags, images }) {
      if (!repository) return changes([], 'there is none')
      const count = images?.length ?? 0
      const what = `repository ${name}, ${count} ${count === 1 ? 'image' : 'images'}`
      const run = call(place, 'ecr', 'delete-repository', { repositoryName: name, force: true })
      return unlessKept(`repository ${name}`, own(tags), true, remove(what, run, lost))
    },
  })
}

/** No user of this name, nor its keys and policies. */
export function noUser(on: OnAws, name: string, after: readonly Step[] = []): Step {
  const { place } = on
  const of = (operation: string, input: Readonly<Record<string, Json>> = {}) =>
    call(place, 'iam', operation, { UserName: name, ...input })
  return step({
    id: `no user ${name}`,
    on,
    after,
    ask: {
      user: iamUser(place, name),
      keys: accessKeys(place, name),
      policies: inlinePolicies(place, name),
      attached: attachedPolicies(place, name),
    },
    plan({ user, keys, policies, attached }) {
      if (!user) return changes([], 'there is none')
      const run = [
        ...keys.map(({ id }) => of('delete-access-key', { AccessKeyId: id })),
        ...policies.map((policy) => of('delete-user-policy', { PolicyName: policy })),
        ...attached.map((policy) => of('detach-user-policy', { PolicyArn: policy })),
        of('delete-user'),
      ]
      const what = `user ${name}, ${keys.length} access ${keys.length === 1 ? 'key' : 'keys'}`
      return unlessKept(`user ${name}`, own(user.tags), true, remove(what, run, { risk: 'downtime', explain }))
    },
  })
}

const lost = { risk: 'data', explain } as const

function unlessKept(what: string, ours: boolean, confirmed: boolean, removal: Change): Decision {
  if (!ours) return noting(changes([], 'it is not ours'), [`${what} is kept: it is not ours (no tag managed-by=infra)`])
  return confirmed ? changes([removal], '') : noting(changes([], 'kept'), [`${what} is kept, with what it holds`])
}
