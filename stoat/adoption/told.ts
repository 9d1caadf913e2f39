import type { KubeObject } from '@infra/shared/command/kubectl'
import { sayObject } from '@infra/shared/command/kubectl'
import { reveal } from '@infra/shared/command/secret'
import type { Diff } from '@infra/shared/engine/step'
import type { StoatEnv } from '../env/env.ts'
import { caddyObjects } from '../manifests/gateway.ts'
import { programObjects } from '../manifests/programs.ts'
import { storeObjects } from '../manifests/stores.ts'
import { type Found, leftOf } from './judge.ts'
import { findValues } from './keys.ts'
import { carried, copySecret, storeNamed } from './names.ts'
import { notOurs } from './volumes.ts'
import { type Container, type OriginalWorkload, type PodSpec, type Volume, volumeAt } from './workloads.ts'

/** The pods that a deployment makes under a workload's name; undefined where it makes none. */
function desiredPod(env: StoatEnv, name: string): PodSpec | undefined {
  const objects: KubeObject[] = [
    ...storeObjects(env),
    ...(['workers', 'api', 'rest'] as const).flatMap((wave) => programObjects(env, wave)),
    ...caddyObjects(env),
  ]
  const object = objects.find(({ kind, metadata }) => metadata.name === name && /^(Deployment|StatefulSet)$/.test(kind))
  return (object?.spec as { template?: { spec?: PodSpec } } | undefined)?.template?.spec
}

/** The volume that a claim template makes is none of the pod's own. */
const templateVolume: Volume = { name: 'data', persistentVolumeClaim: { claimName: 'its own' } }

/** What the pods of a workload are made of, a line each: names of variables and kinds of volumes, no value. */
export function outline({ containers, initContainers = [], volumes = [], ...rest }: PodSpec): string[] {
  const known = ['hostNetwork', 'nodeSelector', 'tolerations', 'affinity', 'serviceAccountName', 'imagePullSecrets']
  const kindOf = (name: string) => {
    const volume = volumes.find((one) => one.name === name) ?? (name === 'data' ? templateVolume : undefined)
    return Object.keys(volume ?? {}).find((field) => field !== 'name') ?? 'claim of its own'
  }
  return [
    ...initContainers.flatMap((container) => [`init container ${container.name}`, ...ofContainer(container, kindOf)]),
    ...containers.flatMap((container) => [`container ${container.name}`, ...ofContainer(container, kindOf)]),
    ...known.filter((field) => rest[field] !== undefined && !isEmpty(rest[field])).map((field) => `pod: ${field}`),
  ]
}

function ofContainer(
  { image, command, args, env = [], envFrom, volumeMounts = [], resources }: Container,
  kindOf: (volume: string) => string,
): string[] {
  const { limits, requests } = (resources ?? {}) as { limits?: object; requests?: object }
  return [
    `  image ${image}`,
    ...(command ? ['  command of its own'] : []),
    ...(args ? [`  ${args.length} arguments`] : []),
    ...(Array.isArray(envFrom) && envFrom.length > 0 ? ['  variables of a whole Secret or ConfigMap'] : []),
    ...env.map(({ name }) => `  variable ${name}`).sort(),
    ...volumeMounts
      .map(({ name, mountPath, subPath }) => `  ${mountPath}: ${kindOf(name)}${subPath ? `, its ${subPath}` : ''}`)
      .sort(),
    ...(limits ? [`  at most ${sizes(limits)}`] : []),
    ...(requests ? [`  at least ${sizes(requests)}`] : []),
  ]
}

const sizes = (range: object) =>
  Object.entries(range)
    .map(([name, value]) => `${name} ${value}`)
    .sort()
    .join(', ')

const isEmpty = (value: unknown) =>
  value === false || value === 'default' || (Array.isArray(value) && value.length === 0) || value === ''

/** How the pods of a workload change. */
export function changeOf(env: StoatEnv, workload: OriginalWorkload): Diff {
  const desired = desiredPod(env, workload.name)
  const text = (pod: PodSpec | undefined) => (pod ? `${outline(pod).join('\n')}\n` : '')
  return {
    kind: 'text',
    path: `pods of ${workload.name}`,
    before: text({ ...workload.pod, volumes: [...(workload.pod.volumes ?? []), ...workload.templates.map(asVolume)] }),
    after: text(desired),
  }
}

const asVolume = (name: string): Volume => ({ name, persistentVolumeClaim: { claimName: name } })

/** Settings by environment are Stoat's own: they come by its files here. */
const isSetting = (name: string) =>
  /^(REVOLT|AUTUMN|JANUARY|VITE|MINIO|RABBITMQ|MONGO)_|^(HOSTNAME|HOST|PORT)$/.test(name)

/** What a workload holds that a deployment does not make again; empty where there is nothing. */
export function droppedOf(env: StoatEnv, { name, pod }: OriginalWorkload): readonly string[] {
  const desired = desiredPod(env, name)
  const [main] = pod.containers
  const ours = desired?.containers[0]
  const others = pod.containers.filter((one) => one !== main)
  const has = (list: readonly { readonly name: string }[] | undefined, wanted: string) =>
    list?.some((one) => one.name === wanted) === true
  const variables = (main?.env ?? []).filter((one) => !has(ours?.env, one.name) && !isSetting(one.name))
  const volumes = (pod.volumes ?? []).filter(
    (one) =>
      !has(desired?.volumes, one.name) &&
      one.configMap === undefined &&
      one.secret === undefined &&
      !isCarried(name, one),
  )
  const fields = ['hostNetwork', 'nodeSelector', 'tolerations', 'affinity', 'serviceAccountName', 'imagePullSecrets']
  return [
    ...others.map((one) => `container ${one.name} (${one.image})`),
    ...(pod.initContainers ?? [])
      .filter((one) => !has(desired?.initContainers, one.name))
      .map((one) => `init container ${one.name}`),
    ...variables.map((one) => `variable ${one.name}`),
    ...volumes.map((one) => `volume ${one.name} (${kindAndPlace(one)})`),
    ...fields.filter((field) => pod[field] !== undefined && !isEmpty(pod[field])),
  ]
}

function isCarried(name: string, { persistentVolumeClaim: claim }: Volume): boolean {
  const store = storeNamed(name)
  return claim !== undefined && store !== undefined && store in carried
}

function kindAndPlace({ name: _, ...rest }: Volume): string {
  const [kind = 'none'] = Object.keys(rest)
  const claim = rest.persistentVolumeClaim?.claimName
  const { path } = (rest.hostPath ?? {}) as { path?: string }
  return [kind, claim ?? path].filter((part) => part !== undefined).join(' ')
}

/** What is seen of the platform that was there and is not changed by adopting it, or goes with it. */
export function notesOfAdoption(env: StoatEnv, found: Found): string[] {
  const { workloads } = found
  const left = leftOf(found).map(
    ({ store, claim }) =>
      `claim ${claim.name} looks like the data of ${store}, and nobody mounts it: that it is at the root of the volume is not known. Where it holds nothing of Stoat's: ${notOurs(claim.name)}`,
  )
  if (workloads.length === 0) return left
  const dropped = workloads.flatMap((workload) => {
    const parts = droppedOf(env, workload)
    return parts.length === 0
      ? []
      : [`${sayObject(workload)} also has ${parts.join(', ')}: a deployment makes none of it again`]
  })
  const users = (
    [
      ['rabbitmqUser', env.STOAT_RABBITMQ_USER, 'STOAT_RABBITMQ_USER'],
      ['minioUser', env.STOAT_MINIO_USER, 'STOAT_MINIO_USER'],
    ] as const
  ).flatMap(([what, desired, variable]) => {
    const [first] = findValues(what, found)
    return first && reveal(first.value) !== desired
      ? [
          `${variable} is ${desired}, and another user was used so far (${first.from}): who else connects with that one does not get in any more`,
        ]
      : []
  })
  const mongodb = workloads.find(({ name }) => storeNamed(name) === 'mongodb')
  const asked = mongodb?.pod.containers.some(
    ({ env: list = [], args = [], command = [] }) =>
      list.some(({ name }) => name.startsWith('MONGO_INITDB_ROOT_')) || [...args, ...command].includes('--auth'),
  )
  return [
    ...left,
    ...dropped,
    ...users,
    ...(asked
      ? ['MongoDB asked for a password so far; here a NetworkPolicy says who may connect, and no password is asked for']
      : []),
    ...brokerNote(found),
    `what is taken away is kept as it was in the Secret ${copySecret}`,
    'Terraform still has all of it in its state: take it out of there (terraform state rm) and out of its files before anybody runs it again, and never run terraform destroy',
  ]
}

function brokerNote({ workloads }: Found): string[] {
  const broker = workloads.find(({ name }) => storeNamed(name) === 'rabbitmq')
  const place = broker && volumeAt(broker, '/var/lib/rabbitmq/mnesia')
  return place && 'claim' in place
    ? [
        `claim ${place.claim} of stoat-rabbitmq is left as it is, used by nobody and billed on: RabbitMQ gets a new volume`,
      ]
    : []
}
