import { type AwsPlace, aws, awsUntil, explainAws as explain, type Json } from '../../command/aws.ts'
import { awsGone } from '../../command/aws-gone.ts'
import { keysMade, keyTag, madeBy, ownedBy, staleTags, type Tags } from '../../command/aws-tags.ts'
import {
  type Change,
  changes,
  type Decision,
  type Dependency,
  noting,
  refuse,
  remove,
  type Step,
  step,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { tableState, tableTags } from '../../facts/aws/dynamodb.ts'
import { repositoryState, repositoryTags } from '../../facts/aws/ecr.ts'
import { ecrImages } from '../../facts/aws/ecr-images.ts'
import { type AccessKey, accessKeys, attachedPolicies, groupsOf, iamUser, inlinePolicies } from '../../facts/aws/iam.ts'
import { hasPassword, mfaDevices, signingCertificates, sshPublicKeys } from '../../facts/aws/iam-personal.ts'
import { queueState, queueTags, queueUrl } from '../../facts/aws/sqs.ts'

type OnAws = Target & { readonly place: AwsPlace }

/** What shall not be there any more. */
export interface RemovalOptions {
  readonly name: string
  /** Whether somebody has typed its name: what holds data, or was adopted, is kept otherwise. */
  readonly confirmed: boolean
  readonly dependsOn?: readonly Dependency[]
}

const has = (tags: Tags | null, wanted: Tags) => Object.keys(staleTags(wanted, tags)).length === 0

/** No table of this name: its protection is lifted and it is deleted, with all its items. */
export function noTable(on: OnAws, { name, confirmed, dependsOn = [] }: RemovalOptions): Step {
  const { place } = on
  const input = { TableName: name }
  return step({
    id: `no table ${name}`,
    on,
    dependsOn,
    ask: { table: tableState(place, name), tags: tableTags(place, name) },
    plan({ table, tags }) {
      if (!table) return changes([], 'there is none')
      const gone = awsGone(aws(place, 'dynamodb', 'describe-table', input), 'ResourceNotFoundException', {
        say: `table ${name}`,
        seconds: 600,
      })
      const query = 'Table.TableStatus'
      const idle = awsUntil(aws(place, 'dynamodb', 'describe-table', input, { query }), 'ACTIVE', {
        say: `table ${name}`,
        seconds: 600,
      })
      const lift = aws(place, 'dynamodb', 'update-table', { ...input, DeletionProtectionEnabled: false })
      const run = [
        ...(table.deletionProtection ? [lift, idle] : []),
        ...(table.status === 'DELETING' ? [] : [aws(place, 'dynamodb', 'delete-table', input)]),
        gone,
      ]
      return unlessKept(`table ${name}`, tags, confirmed, remove(`table ${name}, all its items`, run, lost))
    },
  })
}

/** No queue of this name: it is deleted, with all its messages. */
export function noQueue(on: OnAws, { name, confirmed, dependsOn = [] }: RemovalOptions): Step {
  const { place } = on
  const input = { QueueUrl: queueUrl(place, name) }
  return step({
    id: `no queue ${name}`,
    on,
    dependsOn,
    ask: { queue: queueState(place, name), tags: queueTags(place, name) },
    plan({ queue, tags }) {
      if (!queue) return changes([], 'there is none')
      const look = aws(place, 'sqs', 'get-queue-attributes', { ...input, AttributeNames: ['QueueArn'] })
      const gone = awsGone(look, 'NonExistentQueue\\|QueueDoesNotExist', { say: `queue ${name}`, seconds: 180 })
      const run = [aws(place, 'sqs', 'delete-queue', input), gone]
      return unlessKept(`queue ${name}`, tags, confirmed, remove(`queue ${name}, all its messages`, run, lost))
    },
  })
}

/** No repository of this name, nor its images: they can be built again, unless it was adopted with those of others. */
export function noRepository(on: OnAws, { name, confirmed, dependsOn = [] }: RemovalOptions): Step {
  const { place } = on
  return step({
    id: `no repository ${name}`,
    on,
    dependsOn,
    ask: {
      repository: repositoryState(place, name),
      tags: repositoryTags(place, name),
      images: ecrImages(place, name),
    },
    plan({ repository, tags, images }) {
      if (!repository) return changes([], 'there is none')
      const count = images?.length ?? 0
      const what = `repository ${name}, ${count} ${count === 1 ? 'image' : 'images'}`
      const run = aws(place, 'ecr', 'delete-repository', { repositoryName: name, force: true })
      return unlessAdopted('repository', name, tags, confirmed, remove(what, run, lost))
    },
  })
}

/**
 * No user of this name, nor the keys made here, its policies and memberships. What somebody else gave it (other access
 * keys, a password, devices, keys of other kinds) is refused: IAM deletes no user that has any, after all the rest is
 * gone. An adopted user that is kept loses the keys made here.
 */
export function noUser(on: OnAws, { name, confirmed, dependsOn = [] }: RemovalOptions): Step {
  const { place } = on
  const of = (operation: string, input: Readonly<Record<string, Json>> = {}) =>
    aws(place, 'iam', operation, { UserName: name, ...input })
  return step({
    id: `no user ${name}`,
    on,
    dependsOn,
    ask: {
      user: iamUser(place, name),
      keys: accessKeys(place, name),
      policies: inlinePolicies(place, name),
      attached: attachedPolicies(place, name),
      groups: groupsOf(place, name),
      password: hasPassword(place, name),
      devices: mfaDevices(place, name),
      certificates: signingCertificates(place, name),
      sshKeys: sshPublicKeys(place, name),
    },
    plan({ user, keys, policies, attached, groups, ...personal }) {
      if (!user) return changes([], 'there is none')
      const made = keysMade(user.tags)
      const [own, foreign] = [keys.filter(({ id }) => made.includes(id)), keys.filter(({ id }) => !made.includes(id))]
      const drop = own.map(({ id }) => of('delete-access-key', { AccessKeyId: id }))
      const run = [
        ...groups.map((group) => of('remove-user-from-group', { GroupName: group })),
        ...drop,
        ...policies.map((policy) => of('delete-user-policy', { PolicyName: policy })),
        ...attached.map((policy) => of('detach-user-policy', { PolicyArn: policy })),
        of('delete-user'),
      ]
      const sayKeys = `${own.length} access ${own.length === 1 ? 'key' : 'keys'}`
      const removal = remove(`user ${name}, ${sayKeys}`, run, { risk: 'downtime', explain })
      const decision = unlessAdopted('user', name, user.tags, confirmed, removal)
      if (decision.kind === 'changes') return refusePersonal(name, { ...personal, keys: foreign }) ?? decision
      // The cluster that used them is gone with this run.
      if (own.length === 0 || !has(user.tags, ownedBy) || decision.kind === 'refused') return decision
      const untag = of('untag-user', { TagKeys: own.map(({ id }) => keyTag(id)) })
      const left = remove(`${sayKeys} of user ${name}, made here`, [...drop, untag], { risk: 'downtime', explain })
      return noting(changes([left], ''), decision.notes ?? [])
    },
  })
}

interface Personal {
  /** Access keys that were not made here. */
  readonly keys: readonly AccessKey[]
  readonly password: boolean
  readonly devices: readonly string[]
  readonly certificates: readonly string[]
  readonly sshKeys: readonly string[]
}

function refusePersonal(name: string, held: Personal): Decision | undefined {
  const { keys, password, devices, certificates, sshKeys } = held
  const drop = (operation: string, more = '') => `aws iam ${operation} --user-name ${name}${more}`
  const things = [
    ...keys.map(({ id }) => ['an access key', drop('delete-access-key', ` --access-key-id ${id}`)]),
    ...(password ? [['a password', drop('delete-login-profile')]] : []),
    ...devices.map((id) => ['an MFA device', drop('deactivate-mfa-device', ` --serial-number ${id}`)]),
    ...certificates.map((id) => ['a certificate', drop('delete-signing-certificate', ` --certificate-id ${id}`)]),
    ...sshKeys.map((id) => ['an ssh key', drop('delete-ssh-public-key', ` --ssh-public-key-id ${id}`)]),
  ]
  if (things.length === 0) return undefined
  const what = [...new Set(things.map(([thing]) => thing))].join(', ')
  return refuse(
    `user ${name} has ${what}, which this program did not give it, and IAM deletes no user with any`,
    `Take them away first when nobody needs them: ${things.map(([, command]) => command).join('; ')}`,
  )
}

const lost = { risk: 'data', explain } as const

const stranger = (what: string): Decision =>
  noting(changes([], 'it is not ours'), [`${what} is kept: it is not ours (no tag managed-by=infra)`])

/** For what holds data: kept unless its name was typed, whoever made it. */
function unlessKept(what: string, tags: Tags | null, confirmed: boolean, removal: Change): Decision {
  if (!has(tags, ownedBy)) return stranger(what)
  if (!confirmed) return noting(changes([], 'kept'), [`${what} is kept, with what it holds`])
  const say = has(tags, madeBy) ? removal.say : `${removal.say} (adopted: it was not made here)`
  return changes([{ ...removal, say }], '')
}

/** `repository/bot`: by this what was adopted has to be named. */
export const adoptedInAws = (kind: 'repository' | 'user', name: string): string => `${kind}/${name}`

/** For what can be made again: kept only when it was there before, with what others may have put into it. */
function unlessAdopted(
  kind: 'repository' | 'user',
  name: string,
  tags: Tags | null,
  confirmed: boolean,
  removal: Change,
): Decision {
  const what = `${kind} ${name}`
  if (!has(tags, ownedBy)) return stranger(what)
  if (has(tags, madeBy) || confirmed) return changes([removal], '')
  const how = `--data --confirm ${adoptedInAws(kind, name)} takes it too`
  return noting(changes([], 'adopted'), [
    `${what} is kept: it was adopted, not made here (no tag created-by=infra); ${how}`,
  ])
}
