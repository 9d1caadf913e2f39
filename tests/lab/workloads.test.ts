import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { changesOf, makePlan } from '@infra/shared/engine/plan'
import { imageId } from '@infra/shared/steps/aws/image'
import { afterAll, describe, expect, it } from 'vitest'
import { failureOf, sampleArguments } from './aws-lab.ts'
import { notesOf, pendingStep, planned, settle } from './kube-steps.ts'
import { requireLab, title } from './prerequisites.ts'
import { must, until } from './run.ts'
import { servedDuring } from './served.ts'
import { terraformsName, terraformsObjects } from './terraforms-objects.ts'
import { makeUnkind } from './unkind.ts'
import { asSecret, secrets, useWorkloads } from './workload-world.ts'

const renewer = 'system:serviceaccount:discord-bot:ecr-refresh'
const skip = requireLab('kube', 'registry', 'moto')

describe.skipIf(skip)(title('the workloads on a real cluster', skip), () => {
  const lab = useWorkloads()
  const { kubectl, verify, keysInIam, keyInSecret } = lab
  const folder = mkdtempSync(join(tmpdir(), 'unkind-'))
  let guard: Awaited<ReturnType<typeof makeUnkind>> | undefined
  afterAll(async () => {
    await guard?.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  /** What an operator has changed in the course of the suite. */
  const changed: Parameters<typeof lab.work>[0] = {}
  const work = (more: Parameters<typeof lab.work>[0] = {}) => lab.work({ ...changed, ...more })
  const inSpace = ['-n', 'discord-bot']
  const podOf = (app: string) =>
    kubectl('get', 'pods', ...inSpace, '-l', `app=${app}`, '--field-selector=status.phase=Running', '-o', 'name')
  const ended = (pod: string) =>
    until('the old pod to end', 40_000, async () => ((await podOf('discord-bot')).includes(pod) ? undefined : true))
  const rolledOut = 'update deployment discord-bot rolled out'
  const revisions = 'jsonpath={.items[*].metadata.annotations.deployment\\.kubernetes\\.io/revision}'
  it('come up from nothing with every pod ready, and a second run writes nothing', async () => {
    const seen = sampleArguments()
    let lines: string[] = []
    expect(
      await lab.writesOf(async () => {
        lines = await planned(work())
      }),
    ).toEqual([])
    expect(lines).toContain('create namespace discord-bot')
    expect(lines).toContain('create deployment discord-bot')
    const { events } = await settle(work())
    const args = (await seen.stop()).join('\n')
    expect(await lab.writesOf(() => settle(work()))).toEqual([])
    expect(await planned(work())).toEqual([])
    const verified = await verify('namespace', 'redis', 'discord-bot', 'dev-sandbox')
    expect(verified.filter((line) => !line.startsWith('ok '))).toEqual([])
    expect(verified).toEqual(
      expect.arrayContaining([
        'ok namespace.access-key',
        'ok namespace.pull-secret',
        'ok namespace.renewer',
        'ok redis.available',
        'ok redis.ping',
        'ok discord-bot.available',
        'ok discord-bot.health',
        'ok discord-bot.ready',
        'ok dev-sandbox.available',
        'ok dev-sandbox.rights',
        'ok dev-sandbox.network',
      ]),
    )
    const specs = await kubectl('get', 'deployments,statefulsets,cronjobs', ...inSpace, '-o', 'yaml')
    const half = await kubectl(
      'get',
      'secret',
      'discord-bot-secrets',
      ...inSpace,
      '-o',
      'jsonpath={.data.AWS_SECRET_ACCESS_KEY}',
    )
    const hidden = [...Object.values(secrets), Buffer.from(half, 'base64').toString(), '123456789012-auth-token']
    for (const text of [args, specs, JSON.stringify(events)])
      for (const value of hidden)
        for (const form of [value, Buffer.from(value).toString('base64')]) expect(text).not.toContain(form)
    expect(args).toContain('kubectl')
    expect(await keysInIam()).toEqual([await keyInSecret()])
    // The key was there before the bot: it was not started with the one and again with the other.
    const revision = await kubectl('get', 'replicasets', ...inSpace, '-l', 'app=discord-bot', '-o', revisions)
    expect(revision).toBe('1')
    expect(specs).toMatch(/image: 123456789012\.dkr\.ecr\.ca-central-1\.amazonaws\.com\/discord-bot@sha256:/)
  })

  it('go on with a quota, defaults, a webhook and old events in their namespace', async () => {
    const pods = (await Promise.all(['discord-bot', 'redis'].map(podOf))).map((pod) => pod.replace('pod/', ''))
    guard = await makeUnkind(lab.kube, folder, 'discord-bot', pods)
    expect(await planned(work())).toEqual([])
    expect(await lab.writesOf(() => settle(work()))).toEqual([])
  })

  it('get a deleted Secret back, with a key that follows the lost one, and the bot starts with it', async () => {
    const [old, pod] = [await keyInSecret(), await podOf('discord-bot')]
    await kubectl('delete', 'secret', 'discord-bot-secrets', ...inSpace)
    expect(await verify('namespace.access-key')).toEqual(['fail namespace.access-key'])
    expect(await planned(work())).toEqual([
      'create secret discord-bot-secrets',
      'create access key of discord-bot, kept in secret discord-bot-secrets',
      'update deployment discord-bot [restart]',
      rolledOut,
      expect.stringMatching(/^remove access key …\w{4} of \S+ of discord-bot \[downtime\]$/),
    ])
    await settle(work())
    const now = await keyInSecret()
    expect(now).not.toBe(old)
    expect(await keysInIam()).toEqual([now])
    await ended(pod)
    expect(await verify('discord-bot')).toEqual([
      'ok discord-bot.available',
      'ok discord-bot.health',
      'ok discord-bot.ready',
    ])
    expect(await planned(work())).toEqual([])
  })

  it('get another key for one that was switched off, although nothing in the cluster differs', async () => {
    const [old, pod] = [await keyInSecret(), await podOf('discord-bot')]
    const off = ['--user-name', 'discord-bot', '--access-key-id', old, '--status', 'Inactive']
    await lab.aws('iam', 'update-access-key', ...off)
    expect(await verify('namespace.access-key')).toEqual(['fail namespace.access-key'])
    expect(await planned(work())).toEqual([
      'create access key of discord-bot, kept in secret discord-bot-secrets',
      'update deployment discord-bot: its new access key [restart]',
      rolledOut,
      expect.stringMatching(/^remove access key …\w{4} of \S+, inactive of discord-bot \[downtime\]$/),
    ])
    const { events } = await settle(work())
    expect(events.filter(({ type }) => type === 'lock.taken')).toHaveLength(1)
    const now = await keyInSecret()
    expect(await keysInIam()).toEqual([now])
    expect(now).not.toBe(old)
    await ended(pod)
    expect(await verify('discord-bot.ready')).toEqual(['ok discord-bot.ready'])
  })

  it('start the bot anew when a secret changes, and only it', async () => {
    const [bot, redis] = [await podOf('discord-bot'), await podOf('redis')]
    changed.LITELLM_API_KEY = asSecret('sk-an0ther-key-77')
    expect(await planned(work())).toEqual([
      'update secret discord-bot-secrets: LITELLM_API_KEY',
      'update deployment discord-bot [restart]',
      rolledOut,
    ])
    await settle(work())
    await ended(bot)
    expect(await podOf('redis')).toBe(redis)
  })

  it.each(['never-ready', 'crash'] as const)(
    'bring back what served before a release that is %s',
    async (behaviour) => {
      await until('one pod', 40_000, async () => ((await podOf('discord-bot')).includes('\n') ? undefined : true))
      const pod = await podOf('discord-bot')
      await lab.push({ behaviour })
      const impatient = { ROLLOUT_TIMEOUT: 30 }
      const release = settle(work(impatient))
      const [failure, served] = await Promise.all([failureOf(release), servedDuring(lab.kube, release)])
      // Whoever asked was answered by the old pod, from the first moment to the last.
      expect(served.bad).toEqual([])
      expect(served.good).toBeGreaterThan(3)
      expect(failure.message).toMatch(/discord-bot: not ready; discord-bot: went back to revision \d+/)
      const told = failure.detail.join('\n')
      expect(told).toMatch(behaviour === 'crash' ? /bot: this release is broken/ : /never gets ready/)
      expect(told).toMatch(/discord-bot-\S+ +0\/1/)
      expect(told).not.toContain('an old day')
      expect(await podOf('discord-bot')).toContain(pod)
      expect(await verify('discord-bot.ready')).toEqual(['ok discord-bot.ready'])
      const again = expect.stringMatching(/^update deployment discord-bot .*\[restart\]$/)
      expect(await planned(work())).toEqual([again, rolledOut])
      await lab.push()
      expect(await planned(work())).toEqual([])
    },
  )

  it('keep the data of Redis and the files of the sandbox over a restart and a redeploy', async () => {
    const redis = (...words: string[]) => kubectl('exec', ...inSpace, 'redis-0', '--', 'redis-cli', ...words)
    const sandbox = (script: string) => kubectl('exec', ...inSpace, 'deployment/dev-sandbox', '--', 'sh', '-c', script)
    expect(await redis('set', 'session', 'kept')).toBe('OK')
    await sandbox('echo work >repo/file && cd repo && git status --short')
    await kubectl('delete', 'pods', ...inSpace, '-l', 'app in (redis,dev-sandbox)', '--wait')
    const moved = { REDIS_IMAGE: 'docker.io/library/redis:7', DEV_SANDBOX_IMAGE: 'docker.io/library/shell-with-git:1' }
    expect(await planned(work(moved))).toEqual([
      expect.stringMatching(/^update stateful set redis.*\[downtime\]$/),
      'update stateful set redis rolled out',
      expect.stringMatching(/^update deployment dev-sandbox.*\[downtime\]$/),
      'update deployment dev-sandbox rolled out',
    ])
    Object.assign(changed, moved)
    await settle(work())
    expect(await redis('get', 'session')).toBe('kept')
    expect(await sandbox('cat repo/file')).toBe('work')
  })

  it('find that somebody gave the sandbox more rights or opened Redis to it, and what is missing', async () => {
    const grant = ['clusterrolebinding', 'too-much', '--clusterrole=admin', '--serviceaccount=discord-bot:sandbox']
    await kubectl('create', ...grant)
    expect(await verify('dev-sandbox.rights')).toEqual(['fail dev-sandbox.rights'])
    await kubectl('delete', 'clusterrolebinding', 'too-much')
    expect(await verify('dev-sandbox.rights')).toEqual(['ok dev-sandbox.rights'])
    // Each of them alone keeps the sandbox away from Redis.
    await kubectl('delete', 'networkpolicies', ...inSpace, 'deny-ingress', 'allow-redis', 'sandbox-egress')
    const isOpen = async () => (await verify('dev-sandbox.network'))[0] === 'fail dev-sandbox.network' || undefined
    await until('Redis to be open to everybody', 20_000, isOpen)
    await settle(work())
    const isClosed = async () => (await verify('dev-sandbox.network'))[0] === 'ok dev-sandbox.network' || undefined
    await until('the policies to be in force', 20_000, isClosed)
    await kubectl('scale', 'statefulset/redis', ...inSpace, '--replicas=0')
    await kubectl('wait', 'pod/redis-0', ...inSpace, '--for=delete', '--timeout=600s')
    expect(await verify('redis')).toEqual(['warn redis.available', 'fail redis.ping'])
    expect(await verify('dev-sandbox.network')).toEqual(['warn dev-sandbox.network'])
    await settle(work())
    expect(await verify('redis')).toEqual(['ok redis.available', 'ok redis.ping'])
  })

  it('are adopted from Terraform, changing only what differs', async () => {
    await kubectl('delete', 'deployment/discord-bot', ...inSpace)
    await kubectl('delete', 'clusterrole/sandbox-reader', 'clusterrolebinding/sandbox-reader-binding')
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: terraformsObjects })
    const { code, stderr } = await lab.kube.kubectl(['create', `--field-manager=${terraformsName}`, '-f', '-'], list)
    expect(code, stderr).toBe(0)
    const lines = await planned(work())
    expect(lines).toContainEqual(
      expect.stringMatching(/^update cluster role sandbox-reader \(took over from HashiCorp: rules\)$/),
    )
    const taken = /^update deployment discord-bot \(took over from HashiCorp: spec\.strategy.* and \d+ more\)/
    expect(lines).toContainEqual(expect.stringMatching(taken))
    expect(lines).toContain('create cluster role binding sandbox-reader-binding')
    const uid = await kubectl('get', 'deployment', 'discord-bot', ...inSpace, '-o', 'jsonpath={.metadata.uid}')
    await lab.aws('ecr', 'batch-delete-image', '--repository-name', 'discord-bot', '--image-ids', 'imageTag=latest')
    // Nothing builds one: what would be applied cannot be.
    const early = await failureOf(planned(work()))
    expect(early.message).toContain('there is no image discord-bot:latest in ECR yet')
    const build = { script: 'images', steps: [pendingStep(imageId('discord-bot'))] }
    const shown = (await makePlan([build, ...work()], () => {})).steps.flatMap(changesOf)
    const change = shown.find(({ say }) => say.startsWith('deployment discord-bot (took over from HashiCorp'))
    expect(change?.diff).toMatchObject({ after: expect.stringMatching(/image: image\.invalid\/\S+:not-built-yet/) })
    expect(change?.diff).toMatchObject({ after: expect.stringMatching(/memory: 256Mi[\s\S]*runAsUser: 1000/) })
    await lab.push()
    // The command of the other program stays where it is, so that the image's would not run: the plan tells how it goes.
    const told = notesOf(await makePlan(work(), () => {}))
    const stay = told.filter(
      (note) => note.startsWith('deployment discord-bot: ') && note.includes('stays in its pods'),
    )
    expect(stay.map((note) => note.split(' is not ours')[0])).toEqual([
      'deployment discord-bot: command of container discord-bot',
      'deployment discord-bot: variable MAX_CONCURRENT_THREADS of container discord-bot',
    ])
    const away = told.find((note) => note.includes('take it away, then deploy: '))?.split('then deploy: ')[1]
    await must('sh', ['-c', away ?? 'false'], { env: lab.kube.env })
    await settle(work())
    expect(await kubectl('get', 'deployment', 'discord-bot', ...inSpace, '-o', 'jsonpath={.metadata.uid}')).toBe(uid)
    expect((await makePlan(work(), () => {})).steps.every(({ decision }) => decision?.kind === 'converged')).toBe(true)
    expect(await verify('discord-bot', 'dev-sandbox.rights')).toEqual([
      'ok discord-bot.available',
      'ok discord-bot.health',
      'ok discord-bot.ready',
      'ok dev-sandbox.rights',
    ])
  })

  it('are not deployed for another region than theirs', async () => {
    const elsewhere = { ...changed, AWS_REGION: 'us-east-1' }
    const failure = await failureOf(planned(work(elsewhere)))
    expect(failure.message).toContain('AWS_REGION is us-east-1, but')
    expect(failure.message).toContain('in the cluster works in ca-central-1')
    expect(failure.remedy).toContain('Set AWS_REGION=ca-central-1')
    expect(await lab.writesOf(() => failureOf(settle(work(elsewhere))))).toEqual([])
    expect(await verify('aws.region', 'kubernetes.credentials')).toEqual(['ok kubernetes.credentials', 'ok aws.region'])
  })

  it('renew the pull secret from inside, by an account that may do nothing else', async () => {
    const path = 'jsonpath={.metadata.annotations.infra/renewed-at} {.data.\\.dockerconfigjson}'
    const kept = () => kubectl('get', 'secret', 'ecr-registry', ...inSpace, '-o', path)
    const login = (await kept()).split(' ')[1]
    await kubectl('annotate', 'secret', 'ecr-registry', ...inSpace, 'infra/renewed-at=1', '--overwrite')
    expect(await verify('namespace.pull-secret')).toEqual(['fail namespace.pull-secret'])
    expect(await planned(work())).toEqual(['update secret ecr-registry: its token is 5 hours old or more'])
    await kubectl('create', 'job', 'now', ...inSpace, '--from=cronjob/ecr-refresh')
    await kubectl('wait', 'job/now', ...inSpace, '--for=condition=Complete', '--timeout=600s')
    expect((await kept()).split(' ')[1]).toBe(login)
    expect(await verify('namespace.pull-secret')).toEqual(['ok namespace.pull-secret'])
    expect(await kubectl('logs', 'job/now', ...inSpace)).toBe('secret/ecr-registry serverside-applied')
    await kubectl('delete', 'secret', 'ecr-registry', ...inSpace)
    await kubectl('create', 'job', 'again', ...inSpace, '--from=cronjob/ecr-refresh')
    await kubectl('wait', 'job/again', ...inSpace, '--for=condition=Complete', '--timeout=600s')
    expect((await kept()).split(' ')[1]).toBe(login)
    const may = async (verb: string, what: string) =>
      (await lab.kube.kubectl(['auth', 'can-i', verb, what, ...inSpace, `--as=${renewer}`])).stdout.trim()
    const asked = ['secrets', 'secret/discord-bot-secrets', 'pods'].map((what) => may('get', what))
    const made = ['secrets', 'secret/other'].map((what) => may('create', what))
    const all = await Promise.all([may('patch', 'secret/ecr-registry'), ...asked, ...made])
    expect(all).toEqual(['yes', 'no', 'no', 'no', 'no', 'no'])
    expect(await planned(work())).toEqual([])
  })
})
