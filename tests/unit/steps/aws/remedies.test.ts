import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { raw } from '@infra/shared/command/sh'
import type { Decision } from '@infra/shared/engine/step'
import type { EnvOf } from '@infra/shared/env/variable'
import { type TableOptions, table } from '@infra/shared/steps/aws/dynamodb'
import { userToUse } from '@infra/shared/steps/aws/iam'
import { botCredentials } from '@infra/shared/steps/aws/iam-keys'
import { image } from '@infra/shared/steps/aws/image'
import { noUser } from '@infra/shared/steps/aws/removal'
import { queue } from '@infra/shared/steps/aws/sqs'
import { blankAws } from '@infra/shared/targets/aws/aws'
import { describe, expect, test } from 'vitest'
import type { ClusterContext } from '../../../../cluster/context.ts'
import { clusterSchema } from '../../../../cluster/env/env.ts'
import { images } from '../../../../cluster/parts/images.ts'
import { tempFolder } from '../../../support/temp.ts'
import { examples, expectFree, follow, loaded, remedyOf, type Typed } from '../follow.ts'
import { expiring, off, there } from './dynamodb-tables.ts'

const place = { region: 'ca-central-1' }
const on = { ...blankAws(place), blank: false }
const ahead = { pending: [] }
const base = examples(clusterSchema)
const where = '--region ca-central-1'

describe('a table', () => {
  const desired: TableOptions = {
    ...{ name: 'messages', hash: 'pk S', range: 'sk S', ttl: 'ttl', deletionProtection: true },
    indexes: [{ name: 'by-time', hash: 'pk S', range: 'timestamp N', projection: 'ALL' }],
    ...{ tags: {}, remedies: { keys: 'DYNAMODB_KEYS', ttl: 'DYNAMODB_TTL', without: '--skip-tags dynamodb' } },
  }
  const whole = { table: there, ttl: expiring, tags: {} }
  const index = there.indexes['by-time']
  const decide = (now: object) => table(on, desired).plan({ ...whole, ...now } as never, ahead)

  test('whose index has other keys gets ours when the command has dropped that', () => {
    const other = { ...there, indexes: { 'by-time': { ...index, hash: 'threadId S' } } }
    const remedy = remedyOf(decide({ table: other }), /and an index cannot be changed/)
    const [, name, updates = ''] =
      remedy.match(
        /aws dynamodb update-table --table-name (\S+) --region ca-central-1 --global-secondary-index-updates '([^']+)'/,
      ) ?? []
    const [{ Delete }] = JSON.parse(updates)
    const { [Delete.IndexName]: gone, ...left } = other.indexes as Record<string, object>
    expect([name, gone]).toEqual([desired.name, other.indexes['by-time']])
    const after = decide({ table: { ...other, indexes: left } })
    expectFree(after)
    expect(after.kind).toBe('changes')
  })

  test('whose items expire otherwise takes ours when the command has switched that off', () => {
    const remedy = remedyOf(decide({ ttl: { ...expiring, attribute: 'late' } }), /AWS does not change that while/)
    const command = `aws dynamodb update-time-to-live --table-name messages ${where} --time-to-live-specification`
    expect(remedy).toContain(`${command} Enabled=false,AttributeName=late; run again an hour later`)
    // What follows is told as what may cost items: that is what was asked for.
    expect(decide({ ttl: off })).toMatchObject({ changes: [{ say: 'expiry of messages by ttl', risk: 'data' }] })
  })

  test.each<[says: RegExp, now: object, remedy: RegExp, after: object]>([
    [/is DELETING/, { table: { ...there, status: 'DELETING' } }, /When it is gone, run again/, { table: null }],
    [
      /is INACCESSIBLE_ENCRYPTION_CREDENTIALS/,
      { table: { ...there, status: 'INACCESSIBLE_ENCRYPTION_CREDENTIALS' } },
      /mend the KMS key/,
      {},
    ],
    [
      /index by-time of messages is being deleted/,
      { table: { ...there, indexes: { 'by-time': { ...index, status: 'DELETING' } } } },
      /When it is gone, run again/,
      { table: { ...there, indexes: {} } },
    ],
  ])('that %s is waited for', (says, now, remedy, after) => {
    expect(remedyOf(decide(now), says)).toMatch(remedy)
    expectFree(decide(after))
  })

  test('whose expiry is being switched off gets it an hour later', () => {
    const remedy = remedyOf(decide({ ttl: { status: 'DISABLING', attribute: 'ttl' } }), /is being switched off/)
    expect(remedy).toContain('it can be switched on after that')
    expect(decide({ ttl: off }).kind).toBe('changes')
  })
})

test('a queue of another kind is made anew when the command has deleted it', () => {
  const options = {
    ...{ name: 'events', delay: 0, maxMessage: 1024, retention: 60, receiveWait: 0, visibility: 30, tags: {} },
  }
  const found = {
    ...{ arn: 'arn:aws:sqs:ca-central-1:123456789012:events', attributes: {}, fifo: true },
    ...{ redrive: undefined, redriveAllow: undefined },
  }
  const plan = (queue_: typeof found | null) => queue(on, options).plan({ queue: queue_, tags: null }, ahead)
  const url = 'https://sqs.ca-central-1.amazonaws.com/123456789012/events'
  expect(remedyOf(plan(found), /is a FIFO queue/)).toMatch(
    new RegExp(`run again: aws sqs delete-queue --queue-url ${url} ${where}$`),
  )
  expectFree(plan(null))
})

describe('a user', () => {
  const store = { name: 'Secret s', kept: { command: raw('kept'), parse: () => null }, keep: raw('keep') }
  const owner = { arn: 'arn:aws:iam::123456789012:user/bot', tags: {} }
  const key = (id: string) => ({ id, active: true, created: '2026-11-01T00:00:00.000Z' })
  const keyOf = (now: object, pending: string[] = []) =>
    botCredentials(on, { user: 'bot', store }).plan({ owner, keys: [], kept: null, ...now }, { pending })

  test('that nothing makes is made first where the run is whole', () => {
    const whole = 'Run without --tags and --skip-tags: the user is made first.'
    expect(remedyOf(keyOf({ owner: null }), /there is no user bot/)).toBe(whole)
    expectFree(keyOf({ owner: null }, ['user bot']))
    const use = (pending: string[]) => userToUse(on, 'bot').plan({ user: null }, { pending })
    expect(remedyOf(use([]), /there is no user bot/)).toBe(whole)
    expectFree(use(['user bot']))
  })

  test('whose two keys are those of others gets one when the command has deleted one', () => {
    const keys = [key('AKIAAAAAAAAAAAAAAAA1'), key('AKIAAAAAAAAAAAAAAAA2')]
    const remedy = remedyOf(keyOf({ keys }), /IAM allows no third/)
    const [, id] = remedy.match(/aws iam delete-access-key --user-name bot --access-key-id (\w+)\)/) ?? []
    expect(remedy).toContain(`aws iam get-access-key-last-used --access-key-id ${id} tells`)
    const left = keys.filter((one) => one.id !== id)
    expect(left).toHaveLength(1)
    expectFree(keyOf({ keys: left }))
    const other = loaded(clusterSchema, follow(base, remedy, { BOT_IAM_USER: 'the-bots-own' }))
    expectFree(botCredentials(on, { user: other.BOT_IAM_USER, store }).plan({ owner, keys: [], kept: null }, ahead))
  })

  test('with things of a person goes when the commands have taken them away', () => {
    const nothing = { keys: [], policies: [], attached: [], groups: [], password: false, devices: [] }
    const user = { tags: { 'managed-by': 'infra', 'created-by': 'infra' } }
    const plan = (more: object) =>
      noUser(on, { name: 'u', confirmed: true }).plan(
        { ...nothing, certificates: [], sshKeys: [], user, ...more } as never,
        ahead,
      )
    const held = { keys: [{ id: 'AKIA1' }], password: true, devices: ['arn:d'], certificates: ['C1'], sshKeys: ['S1'] }
    const remedy = remedyOf(plan(held), /IAM deletes no user with any/)
    const options = [...remedy.matchAll(/aws iam (\S+) --user-name u(?: --(\S+) (\S+?))?(?=;|$)/g)].map((one) =>
      one.slice(1).filter((word) => word !== undefined),
    )
    expect(options).toEqual([
      ['delete-access-key', 'access-key-id', 'AKIA1'],
      ['delete-login-profile'],
      ['deactivate-mfa-device', 'serial-number', 'arn:d'],
      ['delete-signing-certificate', 'certificate-id', 'C1'],
      ['delete-ssh-public-key', 'ssh-public-key-id', 'S1'],
    ])
    expectFree(plan({}))
  })
})

describe('an image', () => {
  const inputs = { tag: 'aa11' }
  interface Facts {
    readonly inputs?: object
    readonly cli?: string | null
    readonly packer?: boolean
    readonly images?: readonly object[]
  }
  const decide = (env: EnvOf<typeof clusterSchema>, repository: string, facts: Facts): Decision => {
    const [desired] = images({ env, folder: '/p/.infra' } as ClusterContext).filter(
      (one) => one.repository === repository,
    )
    if (!desired) throw new Error(`no ${repository} is built`)
    return image(on, desired).plan({ images: [], cli: 'podman', packer: true, inputs, ...facts } as never, ahead)
  }
  const [empty, folder] = [tempFolder(), tempFolder()]
  for (const name of ['Dockerfile', 'x.pkr.hcl', 'y.pkr.hcl']) writeFileSync(join(folder, name), '')
  const bot = { BOT_CONTEXT: folder }
  test.each<[string, Row]>([
    ['that nothing says how to build', { says: /nothing says how to build/, own: bot, before: {}, after: {} }],
    [
      'that somebody pushes',
      {
        ...{ says: /nothing says how to build/, names: 'or push one as latest', before: {} },
        after: { images: [{ digest: 'sha256:1', tags: ['latest'], pushed: 1, bytes: 2 }] },
      },
    ],
    [
      'whose folder has no Dockerfile',
      {
        ...{ typed: { BOT_CONTEXT: empty }, says: /cannot be built/, own: bot },
        ...{ before: { inputs: { wrong: `there is no ${empty}/Dockerfile` } }, after: {} },
      },
    ],
    [
      'of a template that cannot be read',
      {
        ...{ typed: { SANDBOX_PACKER_TEMPLATE: join(folder, 'x.pkr.hcl') }, repository: 'dev-sandbox' },
        ...{ says: /cannot be built/, own: { SANDBOX_PACKER_TEMPLATE: join(folder, 'y.pkr.hcl') } },
        ...{ before: { inputs: { wrong: `${folder}/x.pkr.hcl cannot be read` } }, after: {} },
      },
    ],
    [
      'of Packer, once that is installed',
      {
        ...{ typed: { ...bot, BOT_PACKER_TEMPLATE: join(folder, 'x.pkr.hcl') }, says: /packer is not installed/ },
        ...{ names: 'https://developer.hashicorp.com/packer/install', before: { packer: false }, after: {} },
      },
    ],
    [
      'where no program builds one, once there is one',
      {
        ...{ typed: bot, says: /there is no docker, podman or buildah/, names: 'https://podman.io' },
        ...{ before: { cli: null }, after: {} },
      },
    ],
    [
      'where the program that was named does not work, by another one',
      {
        ...{ typed: { ...bot, CONTAINER_CLI: 'docker' }, own: { CONTAINER_CLI: 'podman' } },
        ...{ says: /docker does not work here/, before: { cli: null }, after: {} },
      },
    ],
  ])('%s', (_, { typed = {}, repository = 'discord-bot', says, own, names, before, after }) => {
    const set = { ...base, ...typed }
    const remedy = remedyOf(decide(loaded(clusterSchema, set), repository, before), says)
    for (const name of [...(names ? [names] : []), ...Object.keys(own ?? {})]) expect(remedy).toContain(name)
    expectFree(decide(loaded(clusterSchema, follow(set, remedy, own)), repository, after))
  })
  interface Row {
    readonly typed?: Typed
    readonly repository?: string
    readonly says: RegExp
    readonly own?: Typed
    readonly names?: string
    readonly before: Facts
    readonly after: Facts
  }
})
