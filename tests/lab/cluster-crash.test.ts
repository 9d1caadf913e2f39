import { readdirSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isGone } from '@infra/shared/targets/run-identity'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli, startCli } from '../support/cli.ts'
import { awaits } from '../support/wait.ts'
import { killEachChange, reaches } from './kills.ts'
import { type JsonEvent, lastOf, madeBy } from './pod-runs.ts'
import { requireLab, title } from './prerequisites.ts'
import { clusterRehearsal, openCluster } from './rehearse-cluster.ts'
import { must, until } from './run.ts'

const skip = requireLab(...clusterRehearsal.needs)

describe.skipIf(skip)(title('deployments of the cluster that are killed', skip), () => {
  let world: Awaited<ReturnType<typeof openCluster>>
  const options = () => ({ root: world.root, ...(world.env && { env: world.env }) })
  const deploying = ['deploy', '--create', '--yes', '--json', '--skip-verification']
  const cli = (...args: string[]) => runCli('cluster', args, options())

  beforeAll(async () => {
    world = await openCluster()
  })
  afterAll(() => world?.close())

  const iam = async (...words: string[]) => {
    const where = ['--endpoint-url', world.moto.endpoint, '--region', 'ca-central-1', '--output', 'text']
    const { moto } = world
    return (await must('aws', ['iam', ...words, ...where], { env: moto.env })).trim().split(/\s+/)
  }
  const keysInIam = () =>
    iam('list-access-keys', '--user-name', 'discord-bot', '--query', 'AccessKeyMetadata[].AccessKeyId')
  const kubectl = async (...words: string[]) => {
    const { code, stdout, stderr } = await world.kube.kubectl([...words, '-n', 'discord-bot'])
    if (code !== 0) throw new Error(`kubectl ${words.join(' ')}: ${stderr}`)
    return stdout.trim()
  }
  const keyInSecret = async () => {
    const path = 'jsonpath={.data.AWS_ACCESS_KEY_ID}'
    return Buffer.from(await kubectl('get', 'secret', 'discord-bot-secrets', '-o', path), 'base64').toString()
  }

  async function expectConverged(): Promise<void> {
    const { code, stdout, stderr } = await cli(...deploying)
    expect(code, lastOf(stdout + stderr)).toBe(0)
    expect(madeBy(stdout)).toEqual([])
    const verified = await cli('verify')
    expect(verified.code, verified.stdout + verified.stderr).toBe(0)
    expect(await keysInIam()).toEqual([await keyInSecret()])
    await expectNoLock()
    // Neither a login nor half a file is left.
    const left = readdirSync(join(world.root, '.infra')).filter((name) => /^(registry\.|\.kubeconfig)/.test(name))
    expect(left).toEqual([])
    await expectWholeImages()
  }

  /** Nobody holds the lock but who is gone: a run that finds nothing to do does not even take that away. */
  async function expectNoLock(): Promise<void> {
    const path = 'jsonpath={.metadata.annotations.infra/holder-process}'
    const { code, stdout } = await world.kube.kubectl(['get', 'lease', 'infra', '-n', 'kube-system', '-o', path])
    if (code === 0) expect(isGone(stdout), stdout).toBe(true)
  }

  /** Every tag that ECR tells of is an image that can be pulled. */
  async function expectWholeImages(): Promise<void> {
    const { status, text } = await world.registry.ask('GET', '/v2/discord-bot/tags/list')
    expect(status, text).toBe(200)
    const { tags } = JSON.parse(text) as { tags: string[] }
    for (const tag of tags) {
      const manifest = await world.registry.ask('GET', `/v2/discord-bot/manifests/${tag}`)
      expect(manifest.status, tag).toBe(200)
      const { config, layers } = JSON.parse(manifest.text) as {
        config: { digest: string }
        layers: { digest: string }[]
      }
      for (const { digest } of [config, ...layers])
        expect((await world.registry.ask('HEAD', `/v2/discord-bot/blobs/${digest}`)).status, digest).toBe(200)
    }
  }

  it('are gone on with by the next, whichever change they were killed at', async () => {
    const runs = await killEachChange(90, () => startCli('cluster', deploying, options()))
    expect(runs.length).toBeGreaterThan(20)
    const created = world.moto.requests().filter(({ operation }) => operation === 'CreateAccessKey').length
    const deleted = world.moto.requests().filter(({ operation }) => operation === 'DeleteAccessKey').length
    expect([created - deleted, created <= 2]).toEqual([1, true])
    await expectConverged()
  })

  /** Starts a deployment in which a program waits for `go` where it is called with `when`, and gets there. */
  async function startSlow(program: string, when: string, moment: 'before' | 'after') {
    const folder = join(world.root, 'slow')
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder)
    const real = await must('sh', ['-c', `command -v ${program}`], { env: { PATH: world.env?.PATH } })
    const wait = `: >'${folder}/there'; ${awaits(`'${folder}/go'`)}`
    const work = { before: `${wait}; exec "$real" "$@"`, after: `said=$("$real" "$@") || exit; ${wait}; echo "$said"` }
    const lines = [
      '#!/bin/sh',
      `real='${real.trim()}'`,
      `case " $* " in *" ${when} "*) ${work[moment]} ;; *) exec "$real" "$@" ;; esac`,
    ]
    await writeFile(join(folder, program), `${lines.join('\n')}\n`, { mode: 0o755 })
    const env = { ...world.env, PATH: `${folder}:${world.env?.PATH}` }
    const plainly = deploying.filter((word) => word !== '--json')
    const run = startCli('cluster', plainly, { ...options(), env })
    const there = async () => (readdirSync(folder).includes('there') ? true : undefined)
    await until(`${program} ${when}`, 60_000, there).catch((error) => {
      throw new Error(`${error.message}\n${lastOf(run.said())}`)
    })
    return { run, go: () => writeFile(join(folder, 'go'), '') }
  }

  /** The next run, which waits for what the one before left running; `go` lets that end. Says what it made. */
  async function waitsAndHeals(go: () => Promise<void>): Promise<string[]> {
    const next = startCli('cluster', deploying, options())
    const waits = ({ type, holder }: JsonEvent) =>
      type === 'lock.wait' && holder === 'a change that an interrupted run left running'
    expect(await reaches(next, (events) => events.some(waits)), lastOf(next.said())).toBe(true)
    await go()
    const { code, stdout, stderr } = await next.ended
    expect(code, lastOf(stdout + stderr)).toBe(0)
    return madeBy(stdout)
  }

  it('and leave a key behind that is being made: it is waited for, and there is no second', async () => {
    await kubectl('delete', 'secret', 'discord-bot-secrets')
    const { run, go } = await startSlow('aws', 'create-access-key', 'after')
    run.kill('SIGKILL')
    const made = await waitsAndHeals(go)
    expect(made.filter((change) => change.startsWith('access key'))).toEqual([])
    await run.ended
    await expectConverged()
  })

  /** Another release of the bot: its image is another one. */
  const release = (name: string) => writeFile(join(world.botContext, 'release'), name)

  it('build and roll out another release of the bot in one run', async () => {
    await release('two')
    const { code, stdout, stderr } = await cli(...deploying)
    expect(code, lastOf(stdout + stderr)).toBe(0)
    expect(madeBy(stdout)).toEqual([
      expect.stringMatching(/^image discord-bot: image discord-bot:[0-9a-f]{16} \(buildah/),
      expect.stringMatching(/^manifests discord-bot: deployment discord-bot/),
      'rollout discord-bot: deployment discord-bot rolled out',
    ])
  })

  it('finish a push at the first Ctrl-C, and leave the rest to the next run', async () => {
    await release('three')
    const { run, go } = await startSlow('buildah', 'push', 'before')
    run.kill('SIGINT')
    await until('it to be heard', 10_000, async () => (run.said().includes('stopping: ') ? true : undefined))
    await go()
    const { code, stderr } = await run.ended
    expect(code, stderr).toBe(130)
    expect(stderr).toMatch(/stopping: finishing "image discord-bot:[0-9a-f]{16}/)
    expect(stderr).toContain('stopped as requested, after 1 change')
    const { stdout } = await cli(...deploying)
    expect(madeBy(stdout)[0]).toMatch(/^manifests discord-bot: deployment discord-bot/)
  })

  it('stop in the middle of a push at the second, and say what is uncertain', async () => {
    await release('four')
    const { run, go } = await startSlow('buildah', 'push', 'before')
    run.kill('SIGINT')
    await until('the first to be heard', 10_000, async () => (run.said().includes('once more') ? true : undefined))
    run.kill('SIGINT')
    const { code, stderr } = await run.ended
    expect(code, stderr).toBe(130)
    expect(stderr).toMatch(/stopped at once: "image discord-bot:[0-9a-f]{16}.*" may be done, half done or not done/)
    await expectWholeImages()
    await waitsAndHeals(go)
    await expectConverged()
  })
})
