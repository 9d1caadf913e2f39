import { type AwsPlace, aws, awsUntil, explainAws as explain, type Json, withAccount } from '../../command/aws.ts'
import { madeBy, staleTags, type Tags, tagList, tellTags } from '../../command/aws-tags.ts'
import { changes, converged, create, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { iamUser, type PolicyDocument, userPolicy } from '../../facts/aws/iam.ts'
import { callerIdentity } from '../../facts/aws/sts.ts'
import { canonicalPolicy, showPolicy } from './iam-policy.ts'

type OnAws = Target & { readonly place: AwsPlace }

/** The id of the step that {@link programUser} makes. */
export const userId = (name: string): string => `user ${name}`

/** An IAM user for a program: nobody can log in as it. What it may do is said by {@link inlinePolicy}. */
export function programUser(on: OnAws, desired: { name: string; tags: Tags }): Step {
  const { place } = on
  const { name } = desired
  return step({
    id: userId(name),
    on,
    ask: { user: iamUser(place, name) },
    plan({ user }) {
      if (!user) {
        const make = aws(place, 'iam', 'create-user', { UserName: name, Tags: tagList({ ...desired.tags, ...madeBy }) })
        // IAM tells all its parts in its own time.
        const look = aws(place, 'iam', 'get-user', { UserName: name }, { query: 'User.UserName' })
        return changes(
          [create(`user ${name}`, [make, awsUntil(look, name, { say: `user ${name}`, seconds: 60 })], { explain })],
          '',
        )
      }
      const stale = staleTags(desired.tags, user.tags)
      if (Object.keys(stale).length === 0) return changes([], user.arn)
      const tag = aws(place, 'iam', 'tag-user', { UserName: name, Tags: tagList(stale) })
      return changes([update(`tags of user ${name}: ${tellTags(stale, user.tags)}`, tag, { explain })], '')
    },
  })
}

const noUser = (name: string) =>
  refuse(`there is no user ${name}`, 'Run without --tags and --skip-tags: the user is made first.')

/**
 * Refuses what needs a user where nothing makes it. A step of its own, as it asks IAM alone: what the user is for may need
 * a cluster that is still to come, and would be refused in the middle of the run.
 */
export function userToUse(on: OnAws, name: string): Step {
  return step({
    id: `user ${name} to use`,
    on,
    ask: { user: iamUser(on.place, name) },
    dependsOn: [userId(name)],
    plan: ({ user }, { pending }) =>
      user || pending.includes(userId(name)) ? converged(user?.arn ?? '') : noUser(name),
  })
}

interface InlinePolicyOptions {
  user: string
  name: string
  /** ARNs may hold the account's place (`awsArn`). */
  document: PolicyDocument
  dependsOn: readonly Dependency[]
}

/** What a user may do, as its inline policy of this name. Compared by what it allows, not by how it is written. */
export function inlinePolicy(on: OnAws, { user, name, document, dependsOn }: InlinePolicyOptions): Step {
  const { place } = on
  return step({
    id: `policy ${name} of user ${user}`,
    on,
    ask: { owner: iamUser(place, user), policy: userPolicy(place, user, name), who: callerIdentity(place) },
    dependsOn,
    plan({ owner, policy: now, who }, { pending }) {
      if (!owner && pending.length === 0) return noUser(user)
      const account = owner?.arn.split(':')[4] ?? who?.account
      const desired = JSON.parse(account ? withAccount(JSON.stringify(document), account) : JSON.stringify(document))
      if (now && canonicalPolicy(now) === canonicalPolicy(desired))
        return changes([], `${statements(document)} statements`)
      const input: Record<string, Json> = { UserName: user, PolicyName: name, PolicyDocument: JSON.stringify(document) }
      const before = now ? showPolicy(now) : ''
      const put = aws(place, 'iam', 'put-user-policy', input)
      const diff = { kind: 'text', path: `policy ${name}`, before, after: showPolicy(desired) } as const
      return changes([(now ? update : create)(`policy ${name} of user ${user}`, put, { diff, explain })], '')
    },
  })
}

const statements = ({ Statement }: PolicyDocument): number => (Array.isArray(Statement) ? Statement.length : 1)
