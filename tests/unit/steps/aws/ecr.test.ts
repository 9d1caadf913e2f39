import { lifecyclePolicy, type RepositoryState } from '@infra/shared/facts/aws/ecr'
import { type RepositoryOptions, repository } from '@infra/shared/steps/aws/ecr'
import { blankAws } from '@infra/shared/targets/aws/aws'
import { describe, expect, it } from 'vitest'
import { say } from './aws-say.ts'

const place = { region: 'ca-central-1' }
const desired: RepositoryOptions = {
  name: 'bot',
  keep: 10,
  scanOnPush: true,
  mutableTags: true,
  encryption: 'AES256',
  tags: { Name: 'bot' },
}
const there: RepositoryState = {
  arn: 'arn:aws:ecr:ca-central-1:123456789012:repository/bot',
  uri: '123456789012.dkr.ecr.ca-central-1.amazonaws.com/bot',
  tagMutability: 'MUTABLE',
  scanOnPush: true,
  encryption: 'AES256',
}
const rule = (selection: object = {}) => ({
  rulePriority: 5,
  selection: { countType: 'imageCountMoreThan', countNumber: 10, tagStatus: 'any', ...selection },
  action: { type: 'expire' },
})
const whole = { repository: there, lifecycle: { rules: [rule()] }, tags: { Name: 'bot', Team: 'x' } }
const lifecycle = 'lifecycle of bot: keep the last 10 images [data]'

describe('an ECR repository', () => {
  it.each<[string, { now: object; desired?: Partial<RepositoryOptions>; changes: string[] }]>([
    [
      'is made where there is none',
      {
        now: { repository: null, lifecycle: null, tags: null },
        changes: ['create repository bot', 'create lifecycle of bot: keep the last 10 images'],
      },
    ],
    ['is left alone when all is there, in other words', { now: whole, changes: [] }],
    ['lets old images expire', { now: { ...whole, lifecycle: null }, changes: [`create ${lifecycle}`] }],
    [
      'keeps as many as desired',
      { now: { ...whole, lifecycle: { rules: [rule({ countNumber: 5 })] } }, changes: [`update ${lifecycle}`] },
    ],
    [
      'has one rule, for all images',
      {
        now: { ...whole, lifecycle: { rules: [rule(), rule({ tagStatus: 'untagged' })] } },
        changes: [`update ${lifecycle}`],
      },
    ],
    [
      'does not take a narrower rule for its own',
      { now: { ...whole, lifecycle: { rules: [rule({ tagPrefixList: ['v'] })] } }, changes: [`update ${lifecycle}`] },
    ],
    [
      'scans and lets tags move',
      {
        now: { ...whole, repository: { ...there, scanOnPush: false, tagMutability: 'IMMUTABLE' } },
        changes: ['update tags of images in bot IMMUTABLE → MUTABLE', 'update scan on push of bot on'],
      },
    ],
    ['has its tags', { now: { ...whole, tags: {} }, changes: ['update tags of bot: Name=bot'] }],
    [
      'keeps the encryption that it was made with',
      { now: { ...whole, repository: { ...there, encryption: 'KMS' } }, changes: [] },
    ],
  ])('%s', (_, { now, desired: other, changes }) => {
    const step = repository(blankAws(place), { ...desired, ...other })
    expect(say(step.plan(now as never, { pending: [] }))).toEqual(changes)
  })

  it('that is encrypted otherwise tells so', () => {
    const now = { ...whole, repository: { ...there, encryption: 'KMS' } }
    expect(repository(blankAws(place), desired).plan(now as never, { pending: [] })).toMatchObject({
      notes: ['repository bot is encrypted by KMS, which is left as it is'],
    })
  })

  it('has no policy, whether or not it is there', () => {
    for (const code of ['LifecyclePolicyNotFoundException', 'RepositoryNotFoundException']) {
      const stderr = `An error occurred (${code}) when calling the GetLifecyclePolicy operation: none`
      expect(lifecyclePolicy(place, 'bot').parse({ code: 254, stdout: '', stderr })).toBeNull()
    }
  })
})
