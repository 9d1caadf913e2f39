import { type ClaimTemplate, templatesLine } from '@infra/shared/command/claim-templates'
import type { KubeObject } from '@infra/shared/command/kubectl'
import type { EnvOf } from '@infra/shared/env/variable'
import { parseDiff } from '@infra/shared/facts/kubernetes/manifests'
import type { OwnObject } from '@infra/shared/facts/kubernetes/objects'
import type { StorageState } from '@infra/shared/facts/kubernetes/storage'
import { manifests } from '@infra/shared/steps/kubernetes/manifests'
import { pullSecret } from '@infra/shared/steps/kubernetes/pull-secret'
import { restarted } from '@infra/shared/steps/kubernetes/restart'
import { sameRegion } from '@infra/shared/steps/kubernetes/same-region'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { describe, expect, test } from 'vitest'
import { clusterSchema } from '../../../../cluster/env/env.ts'
import { redis } from '../../../../cluster/manifests/redis.ts'
import { stoatSchema } from '../../../../stoat/env/env.ts'
import { claimVariables as ofStoat, storeObjects } from '../../../../stoat/manifests/stores.ts'
import { examples, expectFree, follow, loaded, remedyOf, type Typed } from '../follow.ts'

const kube = blankKubernetes()
const ahead = { pending: [] }
const options = { script: 'one', workspace: 'cluster', prune: false }
const claimVariables = { redis: { size: 'REDIS_STORAGE', storageClass: 'STORAGE_CLASS', name: 'REDIS_CLAIM' } }

const claimOf = (name: string, storageClass: string, bound = true) => ({ name, app: 'redis', storageClass, bound })
const templatesOf = ({ spec }: KubeObject) =>
  (spec as { volumeClaimTemplates?: ClaimTemplate[] } | undefined)?.volumeClaimTemplates ?? []
const setOf = (objects: readonly KubeObject[], name: string) =>
  objects.find(({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === name) as KubeObject

/** What the API server says of objects where a StatefulSet has the templates `existing`: others are refused. */
function answered(set: KubeObject, existing: readonly ClaimTemplate[] | undefined) {
  if (!existing) return parseDiff({ code: 0, stdout: '', stderr: '' })
  const { name, namespace = '' } = set.metadata
  const known = templatesLine(namespace, name, JSON.stringify(existing))
  const isSame = JSON.stringify(existing) === JSON.stringify(templatesOf(set))
  const refused = isSame ? '' : `The StatefulSet "${name}" is invalid: spec: Forbidden: updates\n`
  return parseDiff({ code: isSame ? 0 : 2, stdout: '', stderr: known + refused })
}

describe('the volume of Redis', () => {
  const base = examples(clusterSchema)
  const objectsOf = (env: EnvOf<typeof clusterSchema>) =>
    redis({ image: 'redis:7', size: env.REDIS_STORAGE, storageClass: env.STORAGE_CLASS, claim: env.REDIS_CLAIM })
  /** That of another environment is there: its StatefulSet, and the claims. */
  const decide = (typed: Typed, found: Typed | undefined, storage: StorageState) => {
    const objects = objectsOf(loaded(clusterSchema, typed))
    const made = found && setOf(objectsOf(loaded(clusterSchema, { ...base, ...found })), 'redis')
    const state = answered(setOf(objects, 'redis'), made && templatesOf(made))
    return manifests(kube, objects, { ...options, claimVariables }).plan({ state, own: [], storage } as never, ahead)
  }
  const storage: StorageState = { classes: ['do-block-storage', 'slow'], claims: [] }
  const bound = (...claims: StorageState['claims'][number][]): StorageState => ({ ...storage, claims })

  test.each(['slow', 'slower'])('of a class that is not there takes one of the list: %s', (one) => {
    const now = { classes: ['slow', 'slower'], claims: [] }
    const remedy = remedyOf(decide(base, undefined, now), /there is no storage class/)
    expect(remedy).toBe('Set STORAGE_CLASS to a class of the cluster: slow, slower.')
    expectFree(decide(follow(base, remedy, { STORAGE_CLASS: one }), undefined, now))
  })

  test.each<[string, Typed, RegExp]>([
    ['size', { REDIS_STORAGE: '7Gi' }, /makes volumes of 7Gi/],
    ['class', { STORAGE_CLASS: 'slow' }, /has the storage class slow/],
    ['name', { REDIS_CLAIM: 'old' }, /keeps its data in claim old-redis-0/],
    [
      'name, size and class',
      { REDIS_CLAIM: 'old', REDIS_STORAGE: '7Gi', STORAGE_CLASS: 'slow' },
      /in claim old-redis-0/,
    ],
  ])('of another %s is kept by what the remedy sets', (_, found, says) => {
    const now = bound(claimOf('data-redis-0', 'slow'), claimOf('old-redis-0', 'slow'))
    const remedy = remedyOf(decide(base, found, now), says)
    const next = follow(base, remedy)
    expect(next).toEqual({ ...base, ...found })
    expectFree(decide(next, found, now))
  })

  test('that waits for a class that is not wanted any more goes by the commands', () => {
    const now = bound(claimOf('data-redis-0', 'gone', false))
    const remedy = remedyOf(decide(base, { STORAGE_CLASS: 'gone' }, now), /has the storage class gone/)
    expect(remedy).toMatch(
      /kubectl delete statefulset redis .*--cascade=orphan && .*persistentvolumeclaim data-redis-0/,
    )
    expectFree(decide(base, undefined, storage))
  })
})

test('a claim of a name that no variable says is left when the StatefulSet goes, and another one is made', () => {
  const env = loaded(stoatSchema, examples(stoatSchema))
  const objects = storeObjects(env)
  const set = setOf(objects, 'stoat-mongodb')
  const old = templatesOf(set).map((one) => ({ ...one, metadata: { name: 'old' } }))
  const claims = [{ name: 'old-stoat-mongodb-0', app: 'stoat-mongodb', storageClass: 'do-block-storage', bound: true }]
  const plan = (existing: ClaimTemplate[] | undefined) =>
    manifests(kube, objects, { ...options, claimVariables: ofStoat }).plan(
      { state: answered(set, existing), own: [], storage: { classes: ['do-block-storage'], claims } } as never,
      ahead,
    )
  const remedy = remedyOf(plan(old), /the data would not come along/)
  for (const command of ['kubectl scale statefulset stoat-mongodb', 'kubectl delete statefulset stoat-mongodb'])
    expect(remedy).toContain(`(${command} -n discord-bot `)
  const after = plan(undefined)
  expectFree(after)
  // It is still there to be copied from.
  expect(after).toMatchObject({ notes: [expect.stringMatching(/^claim old-stoat-mongodb-0 .* is not used/)] })
})

describe('objects', () => {
  const claim = (storage: string): KubeObject => ({
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'work', namespace: 'bots' } },
    spec: { resources: { requests: { storage } } },
  })
  const deployment: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'n' } }
  const plan = (stderr: string, object: KubeObject = deployment, pending: string[] = []) => {
    const podInputs = [{ from: 'image d', what: 'its new image' }]
    const state = parseDiff({ code: stderr.startsWith('Not yet') ? 1 : stderr ? 2 : 0, stdout: '', stderr })
    return manifests(kube, [object], { ...options, podInputs }).plan({ state, own: [] } as never, { pending })
  }

  test('of a size that was made are kept by the variable, or grow by the command', () => {
    const sized = (from: string, to: string) => {
      const requests = '   spec:\n     resources:\n       requests:\n'
      const diff = `-        storage: ${from}\n+        storage: ${to}`
      const head = ' kind: PersistentVolumeClaim\n metadata:\n   name: work\n   namespace: bots\n'
      const stdout =
        from === to ? '' : `diff -r a b\n@@ -1,9 +1,9 @@\n${head}${requests.replace('   spec', ' spec')}${diff}\n`
      const state = parseDiff({ code: from === to ? 0 : 1, stdout, stderr: '' })
      const variables = { work: { size: 'SANDBOX_STORAGE', storageClass: 'STORAGE_CLASS' } }
      const step = manifests(kube, [claim(to)], { ...options, claimVariables: variables })
      return step.plan({ state, own: [] } as never, ahead)
    }
    const base = examples(clusterSchema)
    const remedy = remedyOf(sized('10Gi', '20Gi'), /a volume keeps its size here/)
    const env = loaded(clusterSchema, follow({ ...base, SANDBOX_STORAGE: '20Gi' }, remedy))
    expectFree(sized('10Gi', env.SANDBOX_STORAGE))
    const [, patch = ''] = remedy.match(/kubectl patch persistentvolumeclaim work -n bots -p '([^']+)'$/) ?? []
    expectFree(sized(JSON.parse(patch).spec.resources.requests.storage, '20Gi'))
  })

  test('that cannot become as they shall be are made anew when the command has deleted them', () => {
    const stderr = 'The Deployment "d" is invalid: spec.selector: Invalid value: {}: field is immutable\n'
    const remedy = remedyOf(plan(stderr), /Deployment d cannot become as it shall be/)
    expect(remedy).toMatch(/when you accept that, then deploy: kubectl delete deployment d -n n$/)
    expectFree(plan(''))
  })

  test('that an earlier script makes something for are planned together with it', () => {
    const open = 'Not yet: there is no image d\n'
    expect(remedyOf(plan(open), /there is no image d/)).toBe('An earlier script makes it: run without --tags.')
    expectFree(plan(open, deployment, ['image d']))
  })

  test('of a kind that the cluster does not know are planned once it does', () => {
    const stderr = 'error: unable to recognize no matches for kind "HTTPRoute" in version "gateway.example.io/v1"'
    const remedy = remedyOf(plan(stderr), /does not know the kind HTTPRoute/)
    expect(remedy).toContain('kubectl api-resources --api-group=gateway.example.io shows what it has')
    expectFree(plan(''))
  })
})

test('a pull secret of another type is made anew when the command has deleted it', () => {
  const made = pullSecret(kube, {
    ...{ name: 'ecr-registry', namespace: 'n', workspace: 'cluster', place: { region: 'eu-central-1' } },
  } as Parameters<typeof pullSecret>[1])
  const plan = (type: string | null) => made.plan({ age: null, type } as never, ahead)
  expect(remedyOf(plan('Opaque'), /a Secret keeps its type/)).toMatch(/: kubectl delete secret ecr-registry -n n$/)
  expectFree(plan(null))
})

test('what is to be restarted is there after a deploy', () => {
  const restart = { workload: 'deployment/bot', since: 1000, seconds: 30, risk: 'restart' } as const
  const plan = (last: number | null) =>
    restarted(kube, { workspace: 'cluster', namespace: 'n', ...restart }).plan({ last }, ahead)
  expect(remedyOf(plan(null), /there is no deployment\/bot/)).toBe('npm run deploy -w cluster makes it.')
  expectFree(plan(0))
})

test('the region is set to the one that the cluster was deployed for, or what is there is taken away', () => {
  const typed = { ...examples(clusterSchema), AWS_REGION: 'us-east-1' }
  const theirs = { kind: 'Deployment', namespace: 'n', name: 'bot', region: 'ca-central-1' } as OwnObject
  const plan = (set: Typed, own: OwnObject[]) =>
    sameRegion(kube, { workspace: 'cluster', region: loaded(clusterSchema, set).AWS_REGION }).plan({ own }, ahead)
  const remedy = remedyOf(plan(typed, [theirs]), /works in ca-central-1/)
  expectFree(plan(follow(typed, remedy), [theirs]))
  expect(remedy).toContain('npm run destroy -w cluster')
  expectFree(plan(typed, []))
})
