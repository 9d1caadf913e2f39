import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { raw } from '@infra/shared/command/sh'
import { deploy } from '@infra/shared/engine/deploy'
import type { Event } from '@infra/shared/engine/events'
import { isConverged, makePlan, type Work } from '@infra/shared/engine/plan'
import { botCredentials, type KeyStore, retiredKeys } from '@infra/shared/steps/aws/iam-keys'
import { noUser } from '@infra/shared/steps/aws/removal'
import { beforeEach, describe, expect, it } from 'vitest'
import { launcher } from '../support/cli.ts'
import { failureOf, quiet, sampleArguments, told, useAws } from './aws-lab.ts'
import { parameterStore } from './key-store.ts'
import { requireLab, title } from './prerequisites.ts'
import { until } from './run.ts'

const skip = requireLab('moto')
const user = 'discord-bot'

describe.skipIf(skip)(title("the life of the bot's access key", skip), () => {
  const lab = useAws()
  const { send } = lab

  beforeEach(() => send('iam', 'create-user', { UserName: user }))

  const store = () => parameterStore(lab.moto.endpoint)
  const work = (where: KeyStore = store(), options = {}): Work[] => {
    const aws = lab.open(options)
    const key = botCredentials(aws, { user, store: where })
    return [
      { script: 'namespace', steps: [key] },
      { script: 'bot', steps: [retiredKeys(aws, { user, store: where, dependsOn: [key] })] },
    ]
  }
  const run = async (steps = work()) => {
    let planned: string[] = []
    const heard: Event[] = []
    const agree = async (plan: Parameters<typeof told>[0]) => {
      planned = told(plan)
    }
    await deploy(steps, { ...quiet, emit: (event) => void heard.push(event), agree })
    return { planned, heard: JSON.stringify(heard) }
  }
  const inIam = async () => {
    const { AccessKeyMetadata } = await send<{ AccessKeyMetadata: { AccessKeyId: string }[] }>(
      'iam',
      'list-access-keys',
      { UserName: user },
    )
    return AccessKeyMetadata.map(({ AccessKeyId }) => AccessKeyId)
  }
  const stored = async () => {
    const { Parameter } = await lab.ssm<{ Parameter: { Value: string } }>('GetParameter', { Name: 'bot' })
    return Parameter.Value.split(' ')
  }
  const created = () => lab.writes().filter(({ operation }) => operation === 'CreateAccessKey').length

  it('is made once and kept; its secret half is in no argument and no output', async () => {
    const seen = sampleArguments()
    const { planned, heard } = await run()
    const args = await seen.stop()
    expect(planned).toEqual(['create access key of discord-bot, kept in parameter bot'])
    const [id, half] = await stored()
    expect(half).toMatch(/^\S{40}$/)
    expect(await inIam()).toEqual([id])
    expect(args.some((line) => line.includes('create-access-key'))).toBe(true)
    expect(args.filter((line) => line.includes(half as string))).toEqual([])
    expect(heard).not.toContain(half)
    expect(isConverged(await makePlan(work(), () => {}))).toBe(true)
    expect((await run()).planned).toEqual([])
    expect(created()).toBe(1)
  })

  it('follows the old one when the store lost it, which goes last; and when it was switched off', async () => {
    await run()
    const [first] = await stored()
    await lab.ssm('DeleteParameter', { Name: 'bot' })
    const { planned } = await run()
    const removal = expect.stringMatching(/^remove access key …\w{4} of \d{4}-\d\d-\d\d of discord-bot \[downtime\]$/)
    expect(planned).toEqual(['create access key of discord-bot, kept in parameter bot', removal])
    const [second] = await stored()
    expect(second).not.toBe(first)
    expect(await inIam()).toEqual([second])

    await send('iam', 'update-access-key', { UserName: user, AccessKeyId: second as string, Status: 'Inactive' })
    await run()
    const [third] = await stored()
    expect(await inIam()).toEqual([third])
    expect(created()).toBe(3)
    const order = lab
      .writes()
      .flatMap(({ operation }) => (/AccessKey|Parameter/.exec(operation) ? [operation.split('.').at(-1)] : []))
    expect(order.slice(0, 5)).toEqual([
      'CreateAccessKey',
      'PutParameter',
      'DeleteParameter',
      'CreateAccessKey',
      'PutParameter',
    ])
    expect(order[5]).toBe('DeleteAccessKey')
  })

  const strangers = async (count: number) => {
    for (let made = 0; made < count; made += 1) await send('iam', 'create-access-key', { UserName: user })
    return inIam()
  }
  const tag = (...keys: string[]) => {
    const tags = keys.flatMap((key, at) => [
      [`Tags.member.${at + 1}.Key`, key],
      [`Tags.member.${at + 1}.Value`, 'infra'],
    ])
    return send('iam', 'tag-user', { UserName: user, ...Object.fromEntries(tags) })
  }

  it('never has a third beside it: of two lost ones that were made here the older goes first', async () => {
    const before = await strangers(2)
    await tag(...before.map((id) => `infra-access-key/${id}`))
    const { planned } = await run()
    expect(planned).toEqual([
      expect.stringMatching(/^remove access key …\w{4} of \d{4}-\d\d-\d\d of discord-bot \[downtime\]$/),
      'create access key of discord-bot, kept in parameter bot',
      expect.stringMatching(/^remove access key /),
    ])
    const [id] = await stored()
    expect(await inIam()).toEqual([id])
    expect(before).not.toContain(id)
  })

  it('leaves one of somebody else alone, when ours follows an old one, and when their user goes', async () => {
    const [theirs, lost] = (await strangers(2)) as [string, string]
    await tag(`infra-access-key/${lost}`)
    await run()
    const [id] = await stored()
    expect((await inIam()).sort()).toEqual([theirs, id].sort())

    const destroyed = (confirmed: boolean): Work[] => [
      { script: 'destroy', steps: [noUser(lab.open(), { name: user, confirmed })] },
    ]
    await tag('managed-by')
    const refused = await failureOf(run(destroyed(true)))
    expect(refused.message).toMatch(/an access key, which this program did not give it/)
    expect(refused.remedy).toContain(`--access-key-id ${theirs}`)
    expect((await run(destroyed(false))).planned).toEqual([
      'remove 1 access key of user discord-bot, made here [downtime]',
    ])
    expect(await inIam()).toEqual([theirs])
  })

  it('is refused where two of somebody else leave no room, and nothing is changed', async () => {
    const theirs = await strangers(2)
    const failure = await failureOf(run())
    expect(failure.message).toMatch(/user discord-bot has 2 access keys that were not made here .*IAM allows no third/)
    expect(failure.remedy).toMatch(/delete-access-key.*BOT_IAM_USER/)
    expect(await inIam()).toEqual(theirs)
    expect(created()).toBe(2)
  })

  it('is deleted again when it cannot be kept, and the cause is told without it', async () => {
    const leaky: KeyStore = { ...store(), keep: raw('cat >&2; exit 3') }
    const failure = await failureOf(run(work(leaky)))
    expect(failure.message).toMatch(/access key of discord-bot/)
    const said = JSON.stringify([failure.detail, failure.message])
    expect(said).toContain('holds the key and is not shown')
    expect(said).toContain('was deleted again')
    expect(await inIam()).toEqual([])
    const plain: KeyStore = { ...store(), keep: raw('cat >/dev/null; echo no such namespace >&2; false') }
    expect((await failureOf(run(work(plain)))).detail.join()).toContain('no such namespace')
    expect(await inIam()).toEqual([])
    expect(created()).toBe(2)
  })

  it('heals a run that was killed between making and keeping it', async () => {
    const runner = join(import.meta.dirname, 'iam-keys-run.ts')
    const child = spawn(process.execPath, [launcher, runner, '--endpoint', lab.moto.endpoint], {
      stdio: 'inherit',
    })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await until('the key to be made', 120_000, async () => created() > 0 || undefined)
    child.kill('SIGKILL')
    await ended
    await run()
    const [id] = await stored()
    expect(await inIam()).toEqual([id])
  })
})
