import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inputsCommand, inputsOf } from '@infra/shared/command/inputs'
import { deploy } from '@infra/shared/engine/deploy'
import type { Event } from '@infra/shared/engine/events'
import { isConverged, makePlan, type Work } from '@infra/shared/engine/plan'
import { ecrImages, imageOf } from '@infra/shared/facts/aws/ecr-images'
import { repository } from '@infra/shared/steps/aws/ecr'
import { type ImageOptions, image } from '@infra/shared/steps/aws/image'
import type { AwsOptions } from '@infra/shared/targets/aws/aws'
import { compositeTarget } from '@infra/shared/targets/composite'
import { local } from '@infra/shared/targets/local'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { failureOf, quiet, region, sampleArguments, told, useAws } from './aws-lab.ts'
import { type Registry, startRegistry } from './kube/registry.ts'
import { requireLab, title } from './prerequisites.ts'
import { must } from './run.ts'

const skip = requireLab('moto', 'registry')
describe.skipIf(skip)(title('images by buildah, to a registry that stands for ECR', skip), () => {
  const lab = useAws()
  let registry: Registry
  let folder: string
  let context: string
  const before = { ...process.env }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'images-'))
    const registries = join(folder, 'registries')
    mkdirSync(registries)
    registry = await startRegistry({ gateway: '127.77.0.1', registries }, { ecr: lab.moto.endpoint, region })
    const { REGISTRY_AUTH_FILE: _, PATH, ...env } = registry.env
    Object.assign(process.env, env, { PATH: `${PATH}:${process.env.PATH}` })
  })
  afterAll(async () => {
    for (const name of ['BUILDAH_ISOLATION', 'SSL_CERT_FILE']) delete process.env[name]
    process.env.PATH = before.PATH
    await registry?.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    context = mkdtempSync(join(folder, 'context-'))
    writeFileSync(
      join(context, 'Dockerfile'),
      'FROM scratch\nARG GREETING=none\nCOPY hello /hello\nENV GREETING=$GREETING\n',
    )
    writeFileSync(join(context, 'hello'), 'one\n')
    writeFileSync(join(context, '.dockerignore'), 'notes\n')
  })

  const own = () => join(folder, '.infra')
  /** The repository and the image, as the scripts have them. */
  function work(more: Partial<ImageOptions> = {}, options: Partial<AwsOptions> = {}): Work[] {
    const aws = lab.open(options)
    const builder = compositeTarget(aws, local(), (command) => inputsOf(command) !== undefined)
    const tags = { 'managed-by': 'infra' }
    const kept = { name: 'discord-bot', keep: 10, scanOnPush: true, mutableTags: true, tags }
    const place = repository(aws, { ...kept, encryption: 'AES256' })
    const how = { kind: 'dockerfile', recipe: join(context, 'Dockerfile'), context, args: {} } as const
    const desired = {
      repository: 'discord-bot',
      how,
      cli: 'buildah',
      folder: own(),
      remedy: 'Set BOT_CONTEXT.',
    } as const
    return [
      { script: 'ecr', steps: [place] },
      { script: 'images', steps: [image(builder, { ...desired, dependsOn: [place], ...more })] },
    ]
  }
  const settle = (of: Work[], events: Event[] = []) =>
    deploy(of, { ...quiet, emit: (event) => void events.push(event), agree: async () => {} })
  const inEcr = async () => {
    const aws = lab.open()
    const { command, parse } = ecrImages(aws.place, 'discord-bot')
    const [output] = await aws.ask([command])
    return (output && parse(output)) ?? []
  }
  const pushes = () =>
    registry.requests().filter(({ method, path }) => method === 'PUT' && path.includes('/manifests/'))

  it('builds once, by a login that nobody sees; a second run does nothing', async () => {
    const seen = sampleArguments()
    const events: Event[] = []
    expect(await settle(work(), events)).toBe(3)
    const args = await seen.stop()
    const lines = events.flatMap((event) => (event.type === 'change.output' ? [event.line] : []))
    expect(lines.some((line) => /COPY hello/.test(line))).toBe(true)
    expect(args.some((line) => line.includes('buildah login --username AWS --password-stdin'))).toBe(true)
    expect([...args, ...lines].filter((line) => line.includes(registry.password()))).toEqual([])
    expect(readdirSync(own())).toEqual([])
    expect(statSync(own()).mode & 0o777).toBe(0o700)

    const [found, ...others] = await inEcr()
    expect(others).toEqual([])
    expect(found?.tags).toEqual(expect.arrayContaining(['latest', expect.stringMatching(/^[0-9a-f]{16}$/)]))
    const manifest = await registry.ask('HEAD', `/v2/discord-bot/manifests/${found?.digest}`)
    expect(manifest.status).toBe(200)

    const before = pushes().length
    writeFileSync(join(context, 'notes'), 'not part of it')
    const again = await makePlan(work(), () => {})
    expect(isConverged(again)).toBe(true)
    expect(await settle(work())).toBe(0)
    expect(pushes()).toHaveLength(before)
  })

  it('builds again for other files and other arguments, and moves latest back without building', async () => {
    await settle(work())
    writeFileSync(join(context, 'hello'), 'two\n')
    expect(told(await makePlan(work(), () => {}))).toEqual([
      expect.stringMatching(/^create image discord-bot:[0-9a-f]{16} \(buildah, /),
    ])
    await settle(work())
    const how = { kind: 'dockerfile', recipe: join(context, 'Dockerfile'), context, args: { GREETING: 'hi' } } as const
    await settle(work({ how }))
    expect(await inEcr()).toHaveLength(3)
    const last = imageOf(await inEcr(), 'latest')

    writeFileSync(join(context, 'hello'), 'one\n')
    const count = pushes().length
    expect(told(await makePlan(work(), () => {}))).toEqual([
      expect.stringMatching(/^update latest of discord-bot → [0-9a-f]{16}$/),
    ])
    await settle(work())
    expect(pushes()).toHaveLength(count)
    expect(imageOf(await inEcr(), 'latest')?.digest).not.toBe(last?.digest)
  })

  it('is content when other files make the same image, as where layers are cached', async () => {
    process.env.BUILDAH_LAYERS = 'true'
    await settle(work())
    writeFileSync(join(context, 'left-out'), 'by the Dockerfile')
    expect(await settle(work())).toBe(1)
    delete process.env.BUILDAH_LAYERS
    const [found, ...others] = await inEcr()
    expect([found?.tags.length, others]).toEqual([3, []])
    expect(isConverged(await makePlan(work(), () => {}))).toBe(true)
  })

  it('says with its last lines why a build failed, and leaves no tag', async () => {
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY missing /missing\n')
    const failure = await failureOf(settle(work()))
    expect(failure.message).toContain('the build failed')
    expect(failure.detail.join('\n')).toContain('missing')
    expect(await inEcr()).toEqual([])
    expect(readdirSync(own())).toEqual([])
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY hello /hello\n')
    expect(await settle(work())).toBe(1)
  })

  it('refuses what cannot be built before anything is changed', async () => {
    const none = { kind: 'dockerfile', recipe: join(context, 'none'), context, args: {} } as const
    for (const [more, said] of [
      [{ how: none }, `there is no ${join(context, 'none')}`],
      [{ cli: 'docker' }, 'docker does not work here'],
      [{ how: undefined }, 'there is no image discord-bot:latest, and nothing says how to build one'],
    ] as const)
      expect((await failureOf(settle(work(more)))).message).toContain(said)
    expect(lab.writes()).toEqual([])
  })

  it.each([
    [['.containerignore']],
    [['.containerignore', 'Dockerfile.containerignore']],
    [['.containerignore', 'Dockerfile.containerignore', 'Dockerfile.dockerignore']],
  ])('counts what buildah builds, by the ignore file that it prefers: %j', async (ignores) => {
    const recipe = join(context, 'Dockerfile')
    writeFileSync(recipe, 'FROM scratch\nCOPY . /all/\n')
    for (const name of ['.dockerignore', ...ignores]) writeFileSync(join(context, name), `not-by${name}\n`)
    const names = ['.dockerignore', ...ignores].map((name) => `not-by${name}`)
    const tag = async () => {
      const [output] = await local().ask([inputsCommand({ context, recipe, args: {} })])
      return output?.stdout.trim().split(' ').at(-1)
    }
    for (const name of names) writeFileSync(join(context, name), '')
    const before = await tag()
    const uncounted: string[] = []
    for (const name of names) {
      writeFileSync(join(context, name), 'another')
      if ((await tag()) === before) uncounted.push(name)
      writeFileSync(join(context, name), '')
    }
    const out = mkdtempSync(join(folder, 'built-'))
    await must('buildah', ['build', '--quiet', '--output', `type=local,dest=${out}`, '-f', recipe, context])
    const built = readdirSync(join(out, 'all'))
    expect(names.filter((name) => !built.includes(name))).toEqual(uncounted)
    expect(uncounted).toEqual([names.at(-1)])
  })

  it('tells of a login that is not accepted, before it builds', async () => {
    const password = registry.password()
    await registry.setPassword('another-one-by-now')
    const failure = await failureOf(settle(work()))
    await registry.setPassword(password)
    expect(failure.message).toContain('the registry does not accept the login')
    expect(failure.detail.join('\n')).not.toContain('COPY')
    expect(await inEcr()).toEqual([])
    expect(readdirSync(own())).toEqual([])
  })
})
