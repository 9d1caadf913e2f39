import { type AwsPlace, aws, awsArn, explainAws as explain, type Json } from '../../command/aws.ts'
import { madeBy, staleTags, type Tags, tagList, tellTags } from '../../command/aws-tags.ts'
import {
  type Change,
  changes,
  create,
  type Decision,
  noting,
  type Risk,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import {
  type LifecyclePolicy,
  lifecyclePolicy,
  type RepositoryState,
  repositoryState,
  repositoryTags,
} from '../../facts/aws/ecr.ts'

type OnAws = Target & { readonly place: AwsPlace }

export interface RepositoryOptions {
  readonly name: string
  /** So many images are kept, the newest; older ones expire, whatever their tags. */
  readonly keep: number
  readonly scanOnPush: boolean
  /** Whether a tag can be moved to another image. */
  readonly mutableTags: boolean
  /** Of a new one, for good; one that is there keeps what it has. */
  readonly encryption: 'AES256' | 'KMS'
  /** Tags that it has; others are left alone. */
  readonly tags: Tags
}

interface Now {
  readonly repository: RepositoryState | null
  readonly lifecycle: LifecyclePolicy | null
  readonly tags: Tags | null
}

/** An ECR repository for images. What is there is adopted. */
export function repository(on: OnAws, desired: RepositoryOptions): Step {
  const { place } = on
  return step({
    id: `repository ${desired.name}`,
    on,
    ask: {
      repository: repositoryState(place, desired.name),
      lifecycle: lifecyclePolicy(place, desired.name),
      tags: repositoryTags(place, desired.name),
    },
    plan: (now) => decide(place, desired, now),
  })
}

function decide(place: AwsPlace, desired: RepositoryOptions, { repository, lifecycle, tags }: Now): Decision {
  const { name, keep } = desired
  const make = repositoryChanges(place, desired)
  if (!repository) return changes([make.repository(), make.lifecycle(null, 'safe')], '')
  const list: Change[] = []
  if (repository.tagMutability !== mutability(desired)) list.push(make.mutability(repository.tagMutability))
  if (repository.scanOnPush !== desired.scanOnPush) list.push(make.scan())
  if (!keepsNewest(lifecycle, keep)) list.push(make.lifecycle(lifecycle, 'data'))
  const stale = staleTags(desired.tags, tags)
  if (Object.keys(stale).length > 0) list.push(make.tags(stale, tags))
  const decision = changes(list, `keeps ${keep} images${desired.scanOnPush ? ', scanned on push' : ''}`)
  // Whatever it is: it encrypts, and another one would be another repository, without the images.
  const isOther = repository.encryption !== desired.encryption
  return noting(
    decision,
    isOther ? [`repository ${name} is encrypted by ${repository.encryption}, which is left as it is`] : [],
  )
}

const mutability = ({ mutableTags }: RepositoryOptions) => (mutableTags ? 'MUTABLE' : 'IMMUTABLE')

const onlyRule = (keep: number) => ({
  rulePriority: 1,
  description: `Keep the last ${keep} images`,
  selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: keep },
  action: { type: 'expire' },
})

/** Whether a policy does what ours does; its priority and its words are its own. */
function keepsNewest(policy: LifecyclePolicy | null, keep: number): boolean {
  const [rule, ...others] = policy?.rules ?? []
  if (!rule || others.length > 0) return false
  const { selection, action } = onlyRule(keep)
  const same = (one: object, other: Readonly<Record<string, unknown>>) =>
    Object.keys(other).length === Object.keys(one).length &&
    Object.entries(one).every(([key, value]) => other[key] === value)
  return same(selection, rule.selection) && same(action, rule.action)
}

function repositoryChanges(place: AwsPlace, desired: RepositoryOptions) {
  const { name, keep } = desired
  const call = (operation: string, input: Readonly<Record<string, Json>>) =>
    aws(place, 'ecr', operation, { repositoryName: name, ...input })
  const imageScanningConfiguration = { scanOnPush: desired.scanOnPush }
  return {
    repository() {
      const input = {
        imageTagMutability: mutability(desired),
        imageScanningConfiguration,
        encryptionConfiguration: { encryptionType: desired.encryption },
        tags: tagList({ ...desired.tags, ...madeBy }),
      }
      return create(`repository ${name}`, call('create-repository', input), { explain })
    },
    mutability: (now: string) =>
      update(
        `tags of images in ${name} ${now} → ${mutability(desired)}`,
        call('put-image-tag-mutability', { imageTagMutability: mutability(desired) }),
        { explain },
      ),
    scan: () =>
      update(
        `scan on push of ${name} ${desired.scanOnPush ? 'on' : 'off'}`,
        call('put-image-scanning-configuration', { imageScanningConfiguration }),
        { explain },
      ),
    /** Where images are there already, what is more than `keep` is deleted within a day. */
    lifecycle(now: LifecyclePolicy | null, risk: Risk) {
      const text = { rules: [onlyRule(keep)] }
      const put = call('put-lifecycle-policy', { lifecyclePolicyText: JSON.stringify(text) })
      const show = (policy: object | null) => (policy ? `${JSON.stringify(policy, null, 2)}\n` : '')
      return (now ? update : create)(`lifecycle of ${name}: keep the last ${keep} images`, put, {
        risk,
        explain,
        ...(now && { diff: { kind: 'text', path: `lifecycle of ${name}`, before: show(now), after: show(text) } }),
      })
    },
    tags(stale: Tags, now: Tags | null) {
      const input = { resourceArn: awsArn(place, 'ecr', `repository/${name}`), tags: tagList(stale) }
      return update(`tags of ${name}: ${tellTags(stale, now)}`, aws(place, 'ecr', 'tag-resource', input), { explain })
    },
  }
}
