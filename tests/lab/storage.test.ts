import type { KubeObject } from '@infra/shared/command/kubectl'
import { makePlan } from '@infra/shared/engine/plan'
import { deployment } from '@infra/shared/platform/workload'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { devSandbox, sandboxAccess } from '../../cluster/manifests/dev-sandbox.ts'
import { redis as redisObjects } from '../../cluster/manifests/redis.ts'
import { failureOf } from './aws-lab.ts'
import { redis as redisImage, shellWithGit } from './kube/images.ts'
import { storageClass } from './kube/volumes.ts'
import { notesOf, planned, settle, useKube, workOf } from './kube-steps.ts'
import { requireLab, title } from './prerequisites.ts'
import { must, until } from './run.ts'
import { terraformsTemplate } from './terraforms-objects.ts'

const skip = requireLab('kube')

const wanted = { REDIS_STORAGE: '1Gi', STORAGE_CLASS: 'do-block-storage', REDIS_CLAIM: 'data' }
type Settings = typeof wanted
const inSpace = '-n discord-bot'
type Template = Parameters<typeof terraformsTemplate>[0]

describe.skipIf(skip)(title('the volumes of a StatefulSet', skip), () => {
  const lab = useKube()
  const { kubectl } = lab
  const objects = ({ REDIS_STORAGE: size, STORAGE_CLASS: storageClass, REDIS_CLAIM: claim }: Settings) =>
    redisObjects({ image: 'redis:7', size, storageClass, claim })
  /** What the cluster's own script does for Redis, with these variables set. */
  const work = (set: Partial<Settings> = {}, seconds = 600) =>
    workOf(
      ...deployment(
        { workspace: 'cluster', kube: lab.open(), prune: false, env: { ROLLOUT_TIMEOUT: seconds } },
        'redis',
        {
          objects: objects({ ...wanted, ...set }),
          workloads: ['statefulset/redis'],
          claimVariables: { redis: { size: 'REDIS_STORAGE', storageClass: 'STORAGE_CLASS', name: 'REDIS_CLAIM' } },
        },
      ),
    )
  const redis = (...words: string[]) => kubectl(`exec ${inSpace} redis-0 -- redis-cli ${words.join(' ')}`)

  /** A Redis that another program made, with something in it. */
  async function found(set: Partial<Settings>, change = (object: KubeObject): object => object) {
    const theirs = objects({ ...wanted, ...set }).filter(({ kind }) => kind !== 'Secret')
    await lab.as('HashiCorp', ...theirs.map(change))
    await kubectl(`rollout status statefulset/redis ${inSpace} --timeout=600s`)
    await redis('set', 'session', 'kept')
  }
  /** The variables that a remedy sets, as an operator would. */
  const following = (remedy: string): Partial<Settings> => {
    const [, values = ''] = remedy.match(/Set (\w+=\S+(?: and \w+=\S+)*): /) ?? []
    return Object.fromEntries(values.split(' and ').map((value) => value.split('=')))
  }
  /** Runs the commands that a remedy ends with, as an operator would. */
  const run = (remedy: string) => must('sh', ['-c', remedy.slice(remedy.indexOf('kubectl '))], { env: lab.kube.env })
  async function convergesWithItsData(set: Partial<Settings>) {
    await settle(work(set))
    expect(await redis('get', 'session')).toBe('kept')
    expect(await planned(work(set))).toEqual([])
    expect(await lab.writesOf(() => settle(work(set)))).toBe(0)
  }

  beforeAll(async () => {
    for (const image of [await redisImage(), await shellWithGit()]) await lab.kube.importImage(image)
    await kubectl('create namespace discord-bot')
    await lab.kubectl('apply -f -', JSON.stringify({ ...storageClass, metadata: { name: 'another' } }))
  })
  afterEach(async () => {
    await kubectl(`delete deployment,statefulset,service,pods,persistentvolumeclaims --all ${inSpace} --wait`)
  })

  const asTerraform = (object: KubeObject) => {
    const { volumeClaimTemplates: templates, ...spec } = (object.spec ?? {}) as { volumeClaimTemplates?: Template[] }
    return templates
      ? { ...object, spec: { ...spec, volumeClaimTemplates: templates.map(terraformsTemplate) } }
      : object
  }
  const named = { REDIS_CLAIM: 'redis-data', REDIS_STORAGE: '5Gi' }

  it.each<[string, Partial<Settings>, string, Partial<Settings>]>([
    ['another size', { REDIS_STORAGE: '5Gi' }, 'makes volumes of 5Gi', { REDIS_STORAGE: '5Gi' }],
    ['another name and size', named, 'in claim redis-data-redis-0', named],
  ])('that Terraform made of %s keep their data when the remedy is followed', async (_, was, message, remedy) => {
    await found(was, asTerraform)
    const failure = await failureOf(planned(work()))
    expect(failure.message).toContain(message)
    expect(following(failure.remedy ?? '')).toEqual(remedy)
    await convergesWithItsData(remedy)
  })

  it('that name no class are kept as they are, which the plan tells', async () => {
    await found({}, (object) => {
      const plain = structuredClone(object) as unknown as { spec: { volumeClaimTemplates?: { spec: object }[] } }
      for (const { spec } of plain.spec.volumeClaimTemplates ?? []) Reflect.deleteProperty(spec, 'storageClassName')
      return plain
    })
    const told = notesOf(await makePlan(work(), () => {}))
    expect(told).toEqual(['stateful set redis names no storage class and keeps the volumes that it has'])
    await convergesWithItsData({})
  })

  it('outlive a StatefulSet that has to be taken away, by the command that is told', async () => {
    await found({}, (object) =>
      object.kind === 'StatefulSet'
        ? { ...object, spec: { ...(object.spec as object), podManagementPolicy: 'Parallel', serviceName: 'old' } }
        : object,
    )
    const failure = await failureOf(planned(work()))
    expect(failure.message).toContain('StatefulSet redis cannot become as it shall be')
    expect(failure.remedy).toMatch(/: kubectl delete statefulset redis -n discord-bot --cascade=orphan$/)
    await run(failure.remedy ?? '')
    await convergesWithItsData({})
  })

  it('of a class that is not there are refused, with those that are', async () => {
    let failure: Awaited<ReturnType<typeof failureOf>> | undefined
    const writes = await lab.writesOf(async () => {
      failure = await failureOf(settle(work({ STORAGE_CLASS: 'standard' })))
    })
    expect(writes).toBe(0)
    expect(failure?.message).toContain('there is no storage class standard in the cluster')
    expect(failure?.remedy).toBe('Set STORAGE_CLASS to a class of the cluster: another, do-block-storage.')
  })

  it('that are never made say why, and are followed by others once the class is another', async () => {
    const failure = await failureOf(settle(work({ STORAGE_CLASS: 'another' }, 8)))
    expect(failure.detail.join('\n')).toMatch(
      /data-redis-0 +Pending[\s\S]*ExternalProvisioning +data-redis-0 +Waiting for a volume/,
    )
    const next = await failureOf(planned(work()))
    expect(next.message).toContain('stateful set redis has the storage class another instead of do-block-storage')
    expect(next.remedy).toContain('Claim data-redis-0 still waits for class another and holds no data.')
    await run(next.remedy ?? '')
    await settle(work())
    expect(await planned(work())).toEqual([])
    expect(await redis('ping')).toBe('PONG')
  })

  it('are told of when a StatefulSet no longer uses them', async () => {
    await found({ REDIS_CLAIM: 'redis-data' })
    await kubectl(`delete statefulset redis ${inSpace}`)
    await kubectl(`wait pod/redis-0 ${inSpace} --for=delete --timeout=600s`)
    expect(notesOf(await makePlan(work(), () => {}))).toEqual([
      'claim redis-data-redis-0 of an earlier stateful set redis is not used, nor the data in it: REDIS_CLAIM=redis-data names it',
    ])
  })

  it.each(['workspaces', 'workspaces-data'])(
    'of a sandbox that kept its files in its pod, as emptyDir %s, keep them as the plan says',
    async (volume) => {
      const meta = { name: 'dev-sandbox', namespace: 'discord-bot' }
      const labels = { app: 'dev-sandbox' }
      const volumeMounts = [{ name: volume, mountPath: '/workspaces' }]
      const common = { image: 'shell-with-git:1', command: ['sleep', '1000000'], volumeMounts }
      const containers = [
        { ...common, name: 'dev-sandbox', env: [{ name: 'THEIRS', value: 'hush' }] },
        { ...common, name: 'git' },
      ]
      const spec = { terminationGracePeriodSeconds: 0, volumes: [{ name: volume, emptyDir: {} }], containers }
      await lab.as('HashiCorp', {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { ...meta, labels },
        spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      })
      await kubectl(`rollout status deployment/dev-sandbox ${inSpace} --timeout=600s`)
      await kubectl(`exec ${inSpace} deployment/dev-sandbox -- mkdir -p /workspaces/repo/work`)
      const options = {
        size: '1Gi',
        storageClass: 'do-block-storage',
        scope: 'none',
        image: 'shell-with-git:1',
      } as const
      const sandbox = () =>
        workOf(
          ...deployment(
            { workspace: 'cluster', kube: lab.open(), prune: false, env: { ROLLOUT_TIMEOUT: 600 } },
            'dev-sandbox',
            {
              objects: [...sandboxAccess('none'), ...devSandbox(options)],
              workloads: ['deployment/dev-sandbox'],
            },
          ),
        )
      const runsOf = (told: string, ...starts: string[]) =>
        starts.map((start) => told.slice(told.indexOf(start)).split(/; |\. Make|$/)[0] as string)
      const [save, restore] = ['kubectl exec -n', 'kubectl exec -i']
      const sh = (line = '') => must('sh', ['-c', line], { env: lab.kube.env, cwd: lab.folder })
      let [saving, restoring] = ['', '']
      if (volume === 'workspaces-data') {
        const refused = await failureOf(planned(sandbox()))
        expect(refused.message).toContain('has a volume of the name workspaces-data that is no persistentVolumeClaim')
        ;[saving = '', restoring = ''] = runsOf(refused.remedy ?? '', save, restore)
        await sh(saving)
        await run(refused.remedy?.slice(refused.remedy.indexOf('then deploy: ')) ?? '')
      } else
        expect(await planned(sandbox())).toContainEqual(
          expect.stringMatching(/^update deployment dev-sandbox, the files at \/workspaces .*\[data\]$/),
        )
      const notes = notesOf(await makePlan(sandbox(), () => {}))
      const stays = (what: string) => `deployment dev-sandbox: ${what} is not ours and stays in its pods`
      expect(notes).toEqual(
        expect.arrayContaining(
          ['command of container dev-sandbox', 'variable THEIRS of container dev-sandbox', 'container git'].map(stays),
        ),
      )
      expect(notes.join('\n')).not.toContain('hush')
      if (saving === '') {
        expect(notes).toContainEqual(expect.stringMatching(/at \/workspaces container git sees volume workspaces, and/))
        ;[saving = '', restoring = ''] = runsOf(notes[0] ?? '', save, restore)
        await sh(saving)
      }
      await run(notes.find((note) => note.includes('take it away'))?.split('then deploy: ')[1] ?? '')
      const left = notesOf(await makePlan(sandbox(), () => {})).filter((note) => !note.includes('lie in its volume'))
      // Ours mounts it until the deploy.
      expect(left).toEqual(volume === 'workspaces' ? [stays('volume workspaces')] : [])
      await settle(sandbox())
      await sh(restoring)
      expect(await kubectl(`exec ${inSpace} deployment/dev-sandbox -- ls /workspaces/repo`)).toBe('work')
      expect(await planned(sandbox())).toEqual([])
      expect(notesOf(await makePlan(sandbox(), () => {}))).toEqual([])
    },
  )

  it('what the API server warns of stands in the plan', async () => {
    await found({})
    const space: KubeObject = {
      ...{ apiVersion: 'v1', kind: 'Namespace' },
      metadata: { name: 'discord-bot', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    }
    const root = {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'root', image: 'redis:7', command: ['sleep', '1000000'] }],
    }
    await lab.as('somebody', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'root', namespace: 'discord-bot' },
      spec: root,
    })
    const labels = workOf(manifests(lab.open(), [space], { script: 'namespace', workspace: 'cluster', prune: false }))
    const both = [...labels, ...work()]
    const told = await until('the pod to be seen', 20_000, async () => {
      const notes = notesOf(await makePlan(both, () => {}))
      return notes.length > 0 ? notes : undefined
    })
    expect(told).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^the API server warns: existing pods in namespace "discord-bot" violate/),
      ]),
    )
    expect(new Set(told).size).toBe(told.length)
  })
})
