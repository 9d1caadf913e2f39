import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubeApi } from './api.ts'
import { nodeName } from './users.ts'

const provisioner = 'dobs.csi.digitalocean.com'

/** The class that every cluster of DigitalOcean has, with the same promises. */
export const storageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'do-block-storage', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner,
  allowVolumeExpansion: true,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'Immediate',
}

type Claim = {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly spec: {
    readonly storageClassName?: string
    readonly volumeName?: string
    readonly accessModes: readonly string[]
    readonly resources: { readonly requests: { readonly storage: string } }
  }
}

type Volume = {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: { readonly persistentVolumeReclaimPolicy: string }
  readonly status: { readonly phase?: string }
}

type List<T> = { readonly items: readonly T[] }

/**
 * Makes a volume for each claim of the class for as long as this process lives, and takes away what is released.
 * A volume is a folder of the node, of the kind `local`: unlike hostPath it takes the group that a pod asks for.
 */
export function provisionVolumes(api: KubeApi, work: string): { stop(): Promise<void> } {
  const name = ({ metadata }: Claim) => `pvc-${metadata.uid}`
  const folder = (volume: string) => join('/var/lib/lab-volumes', volume)

  const provide = async () => {
    const [claims, volumes] = await Promise.all([
      api.ask<List<Claim>>('GET', '/api/v1/persistentvolumeclaims'),
      api.ask<List<Volume>>('GET', '/api/v1/persistentvolumes'),
    ])
    const known = new Set(volumes.items.map(({ metadata }) => metadata.name))
    for (const claim of claims.items) {
      const { storageClassName, volumeName } = claim.spec
      if (storageClassName !== storageClass.metadata.name || volumeName || known.has(name(claim))) continue
      await mkdir(join(work, folder(name(claim))), { recursive: true, mode: 0o755 })
      await api.ask('POST', '/api/v1/persistentvolumes', volumeOf(claim, name(claim), folder(name(claim))))
    }
    for (const { metadata, spec, status } of volumes.items) {
      const isOurs = metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === provisioner
      if (!isOurs || status.phase !== 'Released' || spec.persistentVolumeReclaimPolicy !== 'Delete') continue
      await rm(join(work, folder(metadata.name)), { recursive: true, force: true })
      await api.ask('DELETE', `/api/v1/persistentvolumes/${metadata.name}`)
    }
  }

  // One look at a time, and one more when something has changed meanwhile.
  let looking: Promise<void> | undefined
  let again = false
  const look = async () => {
    do {
      again = false
      await provide().catch(() => {}) // the API server is away: the watch comes back with it
    } while (again)
    looking = undefined
  }
  const changed = () => {
    if (looking === undefined) looking = look()
    else again = true
  }
  const watches = ['persistentvolumeclaims', 'persistentvolumes'].map((kind) => api.watch(`/api/v1/${kind}`, changed))
  return {
    stop: async () => {
      for (const end of watches) end()
      await looking
    },
  }
}

const volumeOf = ({ metadata: { namespace, name: claim, uid }, spec }: Claim, name: string, path: string) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': provisioner } },
  spec: {
    capacity: { storage: spec.resources.requests.storage },
    accessModes: spec.accessModes,
    storageClassName: storageClass.metadata.name,
    persistentVolumeReclaimPolicy: storageClass.reclaimPolicy,
    claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: claim, uid },
    local: { path },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] }] },
        ],
      },
    },
  },
})
