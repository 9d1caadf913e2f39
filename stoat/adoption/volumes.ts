import { kubeGet } from '@infra/shared/command/kube-get'
import { kubectlFault } from '@infra/shared/command/kubectl'
import { sh } from '@infra/shared/command/sh'
import type { Question } from '@infra/shared/engine/step'
import { namespace } from '@infra/shared/platform/names'
import { stores } from '../services.ts'
import { carried, carryLabel, claimOf, policyNote } from './names.ts'

/** A claim on a volume, with all that another claim on the same volume has to say. */
export interface Claim {
  readonly name: string
  readonly app: string | undefined
  /** Somebody has said that it holds nothing of Stoat's. */
  readonly isOther: boolean
  readonly volume: string | undefined
  readonly bound: boolean
  readonly going: boolean
  readonly accessModes: readonly string[]
  readonly storageClass: string | undefined
  readonly mode: string | undefined
  readonly size: string
}

/** A volume of the cluster. */
export interface Volume {
  readonly name: string
  /** The claim that it is bound to, was bound to, or waits for. */
  readonly claim: { readonly namespace: string; readonly name: string } | undefined
  readonly policy: string
  readonly bound: boolean
  readonly size: string
  readonly accessModes: readonly string[]
  readonly storageClass: string | undefined
  readonly mode: string | undefined
  /** Where it is being carried on: the claim that it is for, and the policy that it had. */
  readonly carriedFor: string | undefined
  readonly policyBefore: string | undefined
}

/** A pod and the claims that it mounts. */
export interface Mounting {
  readonly pod: string
  readonly labels: Names
  readonly claims: readonly string[]
}

type Names = Readonly<Record<string, string>>

interface ApiClaim {
  readonly metadata: { readonly name: string; readonly labels?: Names; readonly deletionTimestamp?: string }
  readonly spec: {
    readonly accessModes?: readonly string[]
    readonly storageClassName?: string
    readonly volumeMode?: string
    readonly volumeName?: string
    readonly resources?: { readonly requests?: { readonly storage?: string } }
  }
  readonly status?: { readonly phase?: string }
}

interface ApiVolume {
  readonly metadata: { readonly name: string; readonly labels?: Names; readonly annotations?: Names }
  readonly spec: {
    readonly accessModes?: readonly string[]
    readonly storageClassName?: string
    readonly volumeMode?: string
    readonly persistentVolumeReclaimPolicy?: string
    readonly claimRef?: { readonly namespace: string; readonly name: string }
    readonly capacity?: { readonly storage?: string }
  }
  readonly status?: { readonly phase?: string }
}

interface ApiPod {
  readonly metadata: { readonly name: string; readonly labels?: Names }
  readonly spec: { readonly volumes?: readonly { persistentVolumeClaim?: { claimName: string } }[] }
}

function listOf<T, U>(command: ReturnType<typeof kubeGet>, read: (item: T) => U): Question<readonly U[]> {
  return {
    command,
    parse({ code, stdout, stderr }) {
      if (code === 127) return []
      if (code !== 0) throw kubectlFault({ code, stderr })
      return (JSON.parse(stdout) as { items: T[] }).items.map(read)
    },
  }
}

/** The claims of the namespace. */
export const claims = listOf(
  kubeGet({ kinds: ['persistentvolumeclaims'], namespace }),
  ({ metadata, spec, status }: ApiClaim): Claim => ({
    name: metadata.name,
    app: metadata.labels?.app,
    isOther: metadata.labels?.[carryLabel] === 'none',
    volume: spec.volumeName,
    bound: status?.phase === 'Bound',
    going: metadata.deletionTimestamp !== undefined,
    accessModes: spec.accessModes ?? ['ReadWriteOnce'],
    storageClass: spec.storageClassName,
    mode: spec.volumeMode,
    size: spec.resources?.requests?.storage ?? '',
  }),
)

const readVolume = ({ metadata, spec, status }: ApiVolume): Volume => ({
  name: metadata.name,
  claim: spec.claimRef && { namespace: spec.claimRef.namespace, name: spec.claimRef.name },
  policy: spec.persistentVolumeReclaimPolicy ?? 'Retain',
  bound: status?.phase === 'Bound',
  size: spec.capacity?.storage ?? '',
  accessModes: spec.accessModes ?? ['ReadWriteOnce'],
  storageClass: spec.storageClassName,
  mode: spec.volumeMode,
  carriedFor: metadata.labels?.[carryLabel],
  policyBefore: metadata.annotations?.[policyNote],
})

/** The volumes of the cluster. */
export const volumes = listOf(kubeGet({ kinds: ['persistentvolumes'] }), readVolume)

/** The volumes that are between two claims: what took one away did not get to its end. */
export const carriedVolumes = listOf(kubeGet({ kinds: ['persistentvolumes'], selector: carryLabel }), readVolume)

/** The pods of the namespace that mount claims. */
export const mountings: Question<readonly Mounting[]> = listOf(
  kubeGet({ kinds: ['pods'], namespace }),
  ({ metadata, spec }: ApiPod): Mounting => ({
    pod: metadata.name,
    labels: metadata.labels ?? {},
    claims: (spec.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => claim?.claimName ?? []),
  }),
)

/** Claims that look like those of a store, which has none here: what was made with them is gone, and they are left. */
export function leftClaims(all: readonly Claim[]): readonly { store: keyof typeof carried; claim: Claim }[] {
  return (Object.keys(carried) as (keyof typeof carried)[]).flatMap((store) => {
    const { name } = stores[store]
    if (all.some((one) => one.name === claimOf(store))) return []
    return all
      .filter((one) => one.bound && !one.isOther && (one.app === name || one.name.includes(name)))
      .map((claim) => ({ store, claim }))
  })
}

/** Says that a claim holds nothing of Stoat's. */
export const notOurs = (claim: string): string =>
  sh`kubectl label persistentvolumeclaim ${claim} -n ${namespace} ${`${carryLabel}=none`}`.line
