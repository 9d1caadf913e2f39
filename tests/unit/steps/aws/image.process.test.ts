import { readdirSync } from 'node:fs'
import { doDeleteCluster, doRequest } from '@infra/shared/command/digitalocean'
import { moveLatest } from '@infra/shared/command/image-build'
import { type EcrImage, ecrImages, latestImage } from '@infra/shared/facts/aws/ecr-images'
import { type ImageOptions, image } from '@infra/shared/steps/aws/image'
import { blankAws } from '@infra/shared/targets/aws/aws'
import { runLocal } from '@infra/shared/targets/process'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'
import { told } from '../told.ts'

const place = { region: 'ca-central-1' }
// As a real account is: only what is planned is looked at.
const on = { ...blankAws(place), blank: false }
const ahead = { pending: [] }
const how = { kind: 'dockerfile', recipe: '/c/Dockerfile', context: '/c', args: { BASE: "a b'c" } } as const
const desired: ImageOptions = { repository: 'bot', how, cli: 'auto', folder: '/p/.infra', remedy: 'Set BOT_CONTEXT.' }
const found = (...tags: string[]): EcrImage => ({ digest: 'sha256:0123456789abcdef', tags, pushed: 1, bytes: 2 })
const inputs = { tag: 'aa11' }

describe('image', () => {
  it.each<[more: object, facts: object, expected: string[]]>([
    [{}, {}, ['+ image bot:aa11 (podman, /c/Dockerfile)']],
    [{}, { images: null }, ['+ image bot:aa11 (podman, /c/Dockerfile)']],
    [{}, { images: [found('aa11', 'latest')] }, ['= aa11, sha256:0123456789ab']],
    [{}, { images: [found('aa11', 'latest')], cli: null }, ['= aa11, sha256:0123456789ab']],
    [{}, { inputs: { tag: 'aa11', podman: 'bb22' } }, ['+ image bot:bb22 (podman, /c/Dockerfile)']],
    [{}, { inputs: { tag: 'aa11', podman: 'bb22' }, cli: 'docker' }, ['+ image bot:aa11 (docker, /c/Dockerfile)']],
    [{}, { images: [found('aa11'), found('latest')] }, ['~ latest of bot → aa11']],
    [
      {},
      { inputs: { wrong: 'there is no /c/Dockerfile' } },
      ['! image bot cannot be built: there is no /c/Dockerfile'],
    ],
    [{}, { inputs: undefined }, ['+ image bot']],
    [{}, { cli: null }, ['! there is no docker, podman or buildah here that works']],
    [{ cli: 'docker' }, { cli: null }, ['! docker does not work here']],
    [{ how: { ...how, kind: 'packer' } }, { packer: false }, ['! packer is not installed']],
    [{ how: { ...how, kind: 'packer' } }, { packer: true }, ['+ image bot:aa11 (packer, /c/Dockerfile)']],
    [{ how: undefined }, { images: [found('latest')] }, ['= latest is sha256:0123456789ab, built elsewhere']],
    [{ how: undefined }, {}, ['! there is no image bot:latest, and nothing says how to build one']],
  ])('%o %o', (more, facts, expected) => {
    const now = { images: [], inputs, cli: 'podman', ...facts }
    expect(told(image(on, { ...desired, ...more }).plan(now, ahead))).toEqual(expected)
  })

  const lineOf = (cli: string, more: object = {}) => {
    const decision = image(on, { ...desired, ...more }).plan({ images: [], inputs, cli }, ahead)
    return decision.kind === 'changes' ? (decision.changes[0]?.run[0]?.line ?? '') : ''
  }

  it('is built for the nodes, quoted, and pushed by a login of its own', () => {
    const line = lineOf('docker')
    expect(line).toContain(
      `docker build --platform linux/amd64 --build-arg 'BASE=a b'\\''c' -f /c/Dockerfile -t "$image" /c </dev/null`,
    )
    expect(line).toContain(
      'aws ecr get-login-password --region ca-central-1 | DOCKER_CONFIG="$own" DOCKER_HOST="$daemon" docker login --username AWS --password-stdin "$registry"',
    )
    expect(line).toContain('registry="$AWS_ACCOUNT_ID.dkr.ecr.ca-central-1.amazonaws.com"')
    expect(lineOf('podman')).toContain('REGISTRY_AUTH_FILE="$own/auth.json" podman push "$image"')
    expect(lineOf('podman', { registry: '127.0.0.1:5000' })).toContain('registry=127.0.0.1:5000')
  })

  it.each(['PIPE', 'TERM', 'KILL'])(
    'leaves no login behind when it ends by SIG%s, or the next build takes it away',
    async (signal) => {
      const folder = tempFolder()
      const left = () => readdirSync(folder).filter((name) => name.startsWith('registry.'))
      // The program that signs in ends the shell that it belongs to, or is content.
      const program = (how: string) =>
        `aws() { :; }; buildah() { case $1 in login) ${how} ;; esac; }\n${lineOf('buildah', { folder, registry: 'r' })}`
      await runLocal(program(`kill -${signal} $$`), '', {})
      expect(left()).toHaveLength(signal === 'KILL' ? 1 : 0)
      expect(await runLocal(program(':'), '', {})).toMatchObject({ code: 0 })
      expect(left()).toEqual([])
    },
  )

  const failed = (code: string) => ({
    code: 254,
    stdout: '',
    stderr: `An error occurred (${code}) when calling the DescribeImages operation: x`,
  })

  it.each<[where: object, registry: string | undefined, expected: string]>([
    [place, undefined, '123456789012.dkr.ecr.ca-central-1.amazonaws.com/bot@sha256:2'],
    [{ region: 'cn-north-1' }, undefined, '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/bot@sha256:2'],
    [place, '127.0.0.1:5000', '127.0.0.1:5000/bot@sha256:2'],
  ])('is what a manifest names by its digest: %o %s', (where, registry, expected) => {
    const { parse } = latestImage({ ...place, ...where }, 'bot', registry)
    const answer = { imageDetails: [{ registryId: '123456789012', imageDigest: 'sha256:2', imageTags: ['latest'] }] }
    expect(parse({ code: 0, stdout: JSON.stringify(answer), stderr: '' })).toBe(expected)
    for (const none of ['ImageNotFoundException', 'RepositoryNotFoundException'])
      expect(parse(failed(none))).toBeUndefined()
    expect(() => parse(failed('ServerException'))).toThrow('ServerException: x')
  })

  it('is read with its tags, its time and its size', () => {
    const answer = {
      imageDetails: [
        { imageDigest: 'sha256:1', imageTags: ['x'] },
        { imageDigest: 'sha256:2', imageTags: ['latest'], imagePushedAt: '2026-11-24T00:00:00Z', imageSizeInBytes: 3 },
      ],
    }
    const output = { code: 0, stdout: JSON.stringify(answer), stderr: '' }
    expect(ecrImages(place, 'bot').parse(output)?.[1]).toEqual({
      digest: 'sha256:2',
      tags: ['latest'],
      pushed: 1_795_478_400,
      bytes: 3,
    })
    expect(ecrImages(place, 'bot').parse(failed('RepositoryNotFoundException'))).toBeNull()
  })

  it('gets latest in the registry itself', () => {
    expect(moveLatest(place, 'bot', 'aa11').line).toContain(
      'aws ecr put-image --repository-name bot --region ca-central-1',
    )
  })
})

it('of DigitalOcean nothing but a Kubernetes cluster is ever deleted', () => {
  expect(doRequest(doDeleteCluster('bd5f5959-5e1e'))).toMatchObject({ method: 'DELETE' })
  for (const path of ['/v2/droplets/7', '/v2/kubernetes/clusters/', '/v2/kubernetes/clusters/a/../../droplets']) {
    const request = { kind: 'api', method: 'DELETE', path }
    expect(() => doRequest({ line: `DELETE ${path}`, request })).toThrow('not a request')
  }
  expect(() => doDeleteCluster('../../droplets/7')).toThrow('not the id of a cluster')
})
