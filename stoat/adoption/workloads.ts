import { kubeGet } from '@infra/shared/command/kube-get'
import { fieldManager, kubectlFault, managedBy, type ObjectRef } from '@infra/shared/command/kubectl'
import type { Question } from '@infra/shared/engine/step'
import { namespace } from '@infra/shared/platform/names'
import { stoatSecret } from '../keys.ts'
import { isStoats, renewed } from './names.ts'

export interface Mount {
  readonly name: string
  readonly mountPath: string
  readonly subPath?: string
  readonly subPathExpr?: string
}

export interface Variable {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } }
}

export interface Container {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly Variable[]
  readonly volumeMounts?: readonly Mount[]
  readonly [field: string]: unknown
}

export interface Volume {
  readonly name: string
  readonly persistentVolumeClaim?: { readonly claimName: string }
  readonly [kind: string]: unknown
}

export interface PodSpec {
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly volumes?: readonly Volume[]
  readonly [field: string]: unknown
}

/** A workload under one of Stoat's names that this project did not make. */
export interface OriginalWorkload extends ObjectRef {
  readonly kind: 'Deployment' | 'StatefulSet'
  /** The labels by which it knows its pods. */
  readonly selector: Readonly<Record<string, string>>
  readonly pod: PodSpec
  /** Of a StatefulSet: the names of its claim templates. */
  readonly templates: readonly string[]
}

interface ApiWorkload {
  readonly kind: OriginalWorkload['kind']
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec: {
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> }
    readonly template: { readonly spec: PodSpec }
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[]
  }
}

const workloads = ['deployments.apps', 'statefulsets.apps']

/** The workloads of another program under Stoat's names, whole. One `kubectl get`. */
export const originalWorkloads: Question<readonly OriginalWorkload[]> = {
  command: kubeGet({ kinds: workloads, namespace }),
  parse({ code, stdout, stderr }) {
    if (code === 127) return []
    if (code !== 0) throw kubectlFault({ code, stderr })
    return (JSON.parse(stdout) as { items: ApiWorkload[] }).items
      .filter(({ metadata }) => isStoats(metadata.name) && metadata.labels?.[managedBy] !== fieldManager)
      .map(({ kind, metadata, spec }) => ({
        ...{
          kind,
          namespace,
          name: metadata.name,
          pod: spec.template.spec,
          selector: spec.selector?.matchLabels ?? {},
        },
        templates: (spec.volumeClaimTemplates ?? []).map(({ metadata: { name } }) => name),
      }))
  },
}

const owner = `.metadata.labels.${managedBy.replaceAll('.', '\\.')}`

/** Their names alone, for whoever only has to know whether there are any. One `kubectl get`. */
export const originalNames: Question<readonly ObjectRef[]> = {
  command: kubeGet({
    kinds: workloads,
    namespace,
    print: { as: 'columns', paths: ['.kind', '.metadata.name', owner] },
  }),
  parse: (output) => strangers(output).filter(({ name }) => isStoats(name)),
}

export interface OriginalObject extends ObjectRef {
  /** It stays as it is: the Service with an address in the cloud, and the Secret of the keys. */
  readonly stays: boolean
}

/** What else another program made under Stoat's names: Services, ConfigMaps, the Job, the Secret. One `kubectl get`. */
export const originalObjects: Question<readonly OriginalObject[]> = {
  command: kubeGet({
    kinds: ['jobs.batch', 'services', 'configmaps', 'secrets'],
    namespace,
    print: { as: 'columns', paths: ['.kind', '.metadata.name', owner, '.spec.type'] },
  }),
  parse: (output) =>
    strangers(output).flatMap(({ type, ...ref }) => {
      const isSecret = ref.kind === 'Secret' && ref.name === stoatSecret
      const names = Object.entries(renewed).find(([kind]) => kind === ref.kind)?.[1] as readonly string[] | undefined
      // Another Service would have another address.
      return isSecret || names?.includes(ref.name) ? [{ ...ref, stays: isSecret || type === 'LoadBalancer' }] : []
    }),
}

function strangers({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) {
  if (code === 127) return []
  if (code !== 0) throw kubectlFault({ code, stderr })
  return stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , by]) => by !== fieldManager)
    .map(([kind = '', name = '', , type]) => ({ kind, namespace, name, type }))
}

/** The volume at a folder of a workload's pods, or why there is none that can be carried on. */
export type FoundVolume =
  | { readonly claim: string }
  /** It goes with the pod. */
  | { readonly lost: string }
  /** It is on a claim, and not at its root. */
  | { readonly claim: string; readonly apart: string }

/** Where the data of a workload lies that it keeps in a folder of its container. */
export function volumeAt({ name, pod, templates }: OriginalWorkload, folder: string): FoundVolume {
  const all = pod.containers.flatMap(({ volumeMounts = [] }) => volumeMounts)
  const above = all
    .filter(({ mountPath }) => folder === trimmed(mountPath) || folder.startsWith(`${trimmed(mountPath)}/`))
    .sort((one, other) => other.mountPath.length - one.mountPath.length)
  const [mount] = above
  if (!mount) return { lost: 'in no volume' }
  const volume = pod.volumes?.find((one) => one.name === mount.name)
  const claim = templates.includes(mount.name) ? `${mount.name}-${name}-0` : volume?.persistentVolumeClaim?.claimName
  const kind = Object.keys(volume ?? {}).find((field) => field !== 'name') ?? 'none'
  if (claim === undefined) return { lost: `in a volume of the kind ${kind}` }
  if (mount.subPath !== undefined || mount.subPathExpr !== undefined)
    return { claim, apart: `in its folder ${mount.subPath ?? mount.subPathExpr}` }
  return trimmed(mount.mountPath) === folder ? { claim } : { claim, apart: `below ${mount.mountPath}` }
}

const trimmed = (path: string) => path.replace(/(.)\/+$/, '$1')
