import { sayObject } from '@infra/shared/command/kubectl'
import { reveal } from '@infra/shared/command/secret'
import { sh } from '@infra/shared/command/sh'
import { type Decision, refuse } from '@infra/shared/engine/step'
import type { StorageState } from '@infra/shared/facts/kubernetes/storage'
import { namespace } from '@infra/shared/platform/names'
import { refuseMissingClass } from '@infra/shared/steps/kubernetes/claims'
import type { StoatEnv } from '../env/env.ts'
import { mongoMajor } from '../env/images.ts'
import { claimVariables as caddyClaimVariables, caddyObjects } from '../manifests/gateway.ts'
import { claimVariables, storeObjects } from '../manifests/stores.ts'
import { mongodbSettingFor } from '../releases.ts'
import { stores } from '../services.ts'
import { type Configuration, findValues, isEncryptionKey } from './keys.ts'
import { carried, claimOf, storeNamed } from './names.ts'
import { type Claim, leftClaims, type Mounting, notOurs, type Volume } from './volumes.ts'
import { type OriginalWorkload, volumeAt } from './workloads.ts'

type Carried = keyof typeof carried

export interface Found extends Configuration {
  readonly claims: readonly Claim[]
  readonly volumes: readonly Volume[]
  readonly mountings: readonly Mounting[]
  readonly storage: StorageState | undefined
}

/** What stands in the way of carrying the platform on: its keys, its volumes, its versions. Undefined where nothing does. */
export function refuseAdoption(env: StoatEnv, found: Found): Decision | undefined {
  const left = leftOf(found)
  const [one, other] = left.filter(({ store }) => left.filter((two) => two.store === store).length > 1)
  if (one && other)
    return refuse(
      `claims ${one.claim.name} and ${other.claim.name} both look like the data of ${one.store} of an earlier Stoat`,
      `Say of the one that is not, then adopt: ${notOurs(other.claim.name)}`,
    )
  if (found.workloads.length === 0) return undefined
  return (
    refuseKeys(env, found) ??
    refuseElsewhere(env, found) ??
    refuseVersion(env, found) ??
    refuseVolumes(found) ??
    refuseNewVolumes(env, found)
  )
}

/** Claims of stores whose workloads are gone. */
export const leftOf = (found: Pick<Found, 'workloads' | 'claims'>): ReturnType<typeof leftClaims> =>
  leftClaims(found.claims).filter(({ store }) => !found.workloads.some(({ name }) => name === stores[store].name))

const newKey = 'openssl rand -base64 32 prints one'

function refuseKeys(env: StoatEnv, found: Found): Decision | undefined {
  const all = findValues('encryption', found)
  const good = all.filter(({ value }) => isEncryptionKey(value))
  const given = env.STOAT_ENCRYPTION_KEY
  const places = (list: typeof all) => list.map(({ from }) => from).join(' and ')
  if (given && (good.length === 0 || good.some(({ value }) => reveal(value) === reveal(given)))) return undefined
  if (given)
    return refuse(
      `STOAT_ENCRYPTION_KEY is another key than ${places(good)}: with it every file that was uploaded would be lost`,
      'Unset STOAT_ENCRYPTION_KEY to take that one over.',
    )
  if (good.length > 1)
    return refuse(
      `there are two encryption keys: ${places(good)}`,
      'Set STOAT_ENCRYPTION_KEY to the one that files were encrypted with.',
    )
  if (good.length === 1) return undefined
  const reason =
    all.length > 0
      ? `the encryption key is not 32 bytes in base64 (${places(all)}): no file can have been encrypted with it`
      : 'the key that files were encrypted with is neither in the Secret stoat-secrets nor in Revolt.toml of the ConfigMap stoat-config, nor a variable of the programs'
  return refuse(
    reason,
    `Set STOAT_ENCRYPTION_KEY to that key: your copy of its Revolt.toml has it as encryption_key. Where no file was uploaded, to a new one: ${newKey}.`,
  )
}

const workloadOf = ({ workloads }: Found, store: keyof typeof stores) =>
  workloads.find(({ name }) => name === stores[store].name)

function refuseElsewhere(env: StoatEnv, found: Found): Decision | undefined {
  const minio = workloadOf(found, 'minio')
  if (!minio || env.STOAT_S3_ENDPOINT === undefined) return undefined
  return refuse(
    `STOAT_S3_ENDPOINT is set, but the files that were uploaded so far are in ${sayObject(minio)}: Stoat would lose sight of them`,
    'Unset STOAT_S3_ENDPOINT, STOAT_S3_ACCESS_KEY_ID and STOAT_S3_SECRET_ACCESS_KEY, adopt and deploy; then move the files as the refusal of the next deploy with it says.',
  )
}

function refuseVersion(env: StoatEnv, found: Found): Decision | undefined {
  const [mongodb] = workloadOf(found, 'mongodb')?.pod.containers ?? []
  if (!mongodb) return undefined
  const [now, desired] = [mongodb.image, env.STOAT_MONGODB_IMAGE].map(mongoMajor)
  if (now === undefined || desired === undefined || now === desired) return undefined
  return refuse(
    `MongoDB ${now} has written the data, and MongoDB ${desired} would not start with it`,
    `Set ${mongodbSettingFor(env, mongodb.image)}. To another version it goes one major version at a time, after the adoption.`,
  )
}

/** What a deployment would be refused for when Stoat is stopped already: a class for the volumes that are made anew. */
function refuseNewVolumes(env: StoatEnv, { storage }: Found): Decision | undefined {
  const fresh = [...storeObjects(env), ...caddyObjects(env)].filter(({ metadata }) => {
    const store = storeNamed(metadata.name)
    return store === undefined || !(store in carried)
  })
  return storage && refuseMissingClass(fresh, storage, { ...claimVariables, ...caddyClaimVariables })
}

function refuseVolumes(found: Found): Decision | undefined {
  for (const store of Object.keys(carried) as Carried[]) {
    const workload = workloadOf(found, store)
    const refused = workload && refuseVolume(store, workload, found)
    if (refused) return refused
  }
  return undefined
}

function refuseVolume(store: Carried, workload: OriginalWorkload, found: Found): Decision | undefined {
  const called = sayObject(workload)
  const place = volumeAt(workload, carried[store])
  const { line: gone } = sh`kubectl delete ${workload.kind.toLowerCase()} ${workload.name} -n ${namespace}`
  if ('lost' in place)
    return refuse(
      `${called} keeps its data ${place.lost}, which goes with its pod: it cannot be carried on`,
      `Copy what shall be kept out of it first. Give the rest up, then adopt: ${gone}`,
    )
  if ('apart' in place) return refuseApart(store, workload, place)
  const claim = found.claims.find(({ name }) => name === place.claim)
  const volume = found.volumes.find(({ name }) => name === claim?.volume)
  if (!claim?.bound || claim.going || !volume)
    return refuse(
      `${called} keeps its data in claim ${place.claim}, which ${claim ? (claim.going ? 'is being deleted' : 'has no volume') : 'is not there'}`,
      `kubectl describe persistentvolumeclaim ${place.claim} -n ${namespace} tells why. Where it holds nothing, then adopt: ${gone}`,
    )
  if (place.claim !== claimOf(store) && found.claims.some(({ name }) => name === claimOf(store)))
    return refuse(
      `there are claim ${place.claim} of ${called} and claim ${claimOf(store)} of a deployment: only one of them can be carried on`,
      `Look which of them holds the data (kubectl get persistentvolumeclaims -n ${namespace}). To give the second up, with all it holds, then adopt: ${sh`kubectl delete statefulset/${workload.name} persistentvolumeclaim/${claimOf(store)} -n ${namespace} --ignore-not-found`.line} To go on with the second, and leave the first to nobody: ${gone}`,
    )
  const own = Object.entries(selectorOf(workload))
  const isOwn = (labels: Readonly<Record<string, string>>) => own.every(([label, value]) => labels[label] === value)
  const stranger = found.mountings.find(({ claims, labels }) => claims.includes(place.claim) && !isOwn(labels))
  if (stranger)
    return refuse(
      `pod ${stranger.pod} mounts claim ${place.claim} of ${called} too: two programs must never write to one volume`,
      `Take away what runs it (kubectl describe pod ${stranger.pod} -n ${namespace} tells what that is), then adopt.`,
    )
  return undefined
}

/** The files lie in a folder of the volume: a pod moves them to its root, and the workload is told so. */
function refuseApart(
  store: Carried,
  workload: OriginalWorkload,
  { claim, apart }: { readonly claim: string; readonly apart: string },
): Decision {
  const { name, kind, pod } = workload
  const folder = carried[store]
  const at = pod.containers.findIndex(({ volumeMounts = [] }) => volumeMounts.some(mounts(folder)))
  const list = pod.containers[at]?.volumeMounts ?? []
  const index = list.findIndex(mounts(folder))
  const mount = list[index]
  const inner = [mount?.subPath, folder.slice((mount?.mountPath ?? '').replace(/\/+$/, '').length + 1)]
    .filter((part) => part)
    .join('/')
  const image = pod.containers[at]?.image ?? ''
  const script = `cd /volume && for f in '${inner}'/* '${inner}'/.[!.]*; do if [ -e "$f" ]; then mv "$f" . || exit 1; fi; done; rmdir '${inner}'`
  const mover = {
    spec: {
      volumes: [{ name: 'volume', persistentVolumeClaim: { claimName: claim } }],
      containers: [
        {
          ...{ name: 'stoat-move', image, command: ['sh', '-c', script] },
          volumeMounts: [{ name: 'volume', mountPath: '/volume' }],
        },
      ],
    },
  }
  const path = `/spec/template/spec/containers/${at}/volumeMounts/${index}`
  const patch = JSON.stringify([{ op: 'replace', path, value: { name: mount?.name ?? '', mountPath: folder } }])
  const which = `${kind.toLowerCase()}/${name}`
  const pods = Object.entries(selectorOf(workload))
    .map(([label, value]) => `${label}=${value}`)
    .join(',')
  const steps = [
    sh`kubectl scale ${which} -n ${namespace} --replicas=0`,
    sh`while [ -n "$(kubectl get pods -n ${namespace} -l ${pods} -o name)" ]; do sleep 1; done`,
    sh`kubectl run stoat-move -n ${namespace} --image=${image} --restart=Never --attach --rm --overrides=${JSON.stringify(mover)}`,
    sh`kubectl patch ${which} -n ${namespace} --type=json -p ${patch}`,
  ]
  return refuse(
    `${sayObject(workload)} keeps its data in claim ${claim}, ${apart}, and it is looked for at the root of the volume`,
    `Move it there, which stops Stoat, then adopt: ${steps.map(({ line }) => line).join(' && ')}`,
  )
}

/** What the pods of a workload are known by; one that selects by expressions has the original's label all the same. */
const selectorOf = ({ name, selector }: OriginalWorkload) =>
  Object.keys(selector).length > 0 ? selector : { app: name }

const mounts =
  (folder: string) =>
  ({ mountPath }: { readonly mountPath: string }) =>
    folder === mountPath.replace(/(.)\/+$/, '$1') || folder.startsWith(`${mountPath.replace(/\/+$/, '')}/`)
