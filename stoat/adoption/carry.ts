import type { Output } from '@infra/shared/command/command'
import { explainKubectl, fieldManager, kubectlApply } from '@infra/shared/command/kubectl'
import { sh } from '@infra/shared/command/sh'
import { type Change, type Explained, update } from '@infra/shared/engine/step'
import { namespace } from '@infra/shared/platform/names'
import { carryLabel, policyNote } from './names.ts'
import type { Volume } from './volumes.ts'

const patchVolume = (name: string, patch: object) =>
  sh`kubectl patch persistentvolume ${name} --type=merge --field-manager=${fieldManager} -p ${JSON.stringify(patch)}`

/**
 * Marks a volume as one that is carried on for a claim, and has it kept when the claim goes that it has. The mark is on the
 * volume itself, so that whatever ends a run, the next one knows which volume it is.
 */
export function keepVolume({ name, claim, policy }: Volume, to: string): Change {
  const run = patchVolume(name, {
    metadata: { labels: { [carryLabel]: to }, annotations: { [policyNote]: policy } },
    spec: { persistentVolumeReclaimPolicy: 'Retain' },
  })
  return update(`volume ${name} of claim ${claim?.name}, to be kept for claim ${to}`, run, { explain: explainKubectl })
}

/**
 * Has a volume that is kept belong to another claim. Nothing is copied. No pod mounts it meanwhile, and the API server keeps
 * a claim that one mounts.
 */
export function handOver(volume: Volume, { to, app }: { readonly to: string; readonly app: string }): Change {
  const { name, size } = volume
  const from = volume.claim?.name
  const moved = from === to
  const ref = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name: to, uid: null, resourceVersion: null }
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: to, namespace, labels: { app } },
    spec: {
      accessModes: volume.accessModes,
      // Without a class of its own it would get the default one, which is not the volume's.
      storageClassName: volume.storageClass ?? '',
      ...(volume.mode !== undefined && { volumeMode: volume.mode }),
      resources: { requests: { storage: size } },
      volumeName: name,
    },
  }
  const run = [
    ...(moved || from === undefined
      ? []
      : [unmounted(from, name), freed(from), patchVolume(name, { spec: { claimRef: ref } })]),
    kubectlApply([claim]),
    sh`kubectl wait persistentvolumeclaim/${to} -n ${namespace} --for=${'jsonpath={.status.phase}=Bound'} --timeout=120s`,
    patchVolume(name, {
      metadata: { labels: { [carryLabel]: null }, annotations: { [policyNote]: null } },
      ...(volume.policyBefore !== undefined && { spec: { persistentVolumeReclaimPolicy: volume.policyBefore } }),
    }),
  ]
  const what = moved ? `claim ${to}` : `claim ${from} becomes claim ${to}`
  return update(`${what}, on the same volume ${name} (${size})`, run, { explain })
}

const freed = (claim: string) =>
  sh`kubectl delete persistentvolumeclaim ${claim} -n ${namespace} --ignore-not-found --wait --timeout=120s`

/** Fails where a pod still mounts the claim, or where the volume would go with it. */
const unmounted = (
  claim: string,
  volume: string,
) => sh`pods=$(kubectl get pods -n ${namespace} -o ${'jsonpath={range .items[*]}{.metadata.name}{range .spec.volumes[*]}{" "}{.persistentVolumeClaim.claimName}{end}{"\\n"}{end}'}) || exit 1
pod=$(printf '%s\\n' "$pods" | awk -v claim=${claim} ${'{ for (i = 2; i <= NF; i++) if ($i == claim) { print $1; exit } }'})
[ -z "$pod" ] || { echo "pod $pod still mounts claim "${claim} >&2; exit 1; }
policy=$(kubectl get persistentvolume ${volume} -o ${'jsonpath={.spec.persistentVolumeReclaimPolicy}'}) || exit 1
[ "$policy" = Retain ] || { echo "volume "${volume}" would go with its claim: its policy is $policy" >&2; exit 1; }`

function explain(output: Output): Explained | string | undefined {
  const [told] = output.stderr.match(/^(pod \S+ still mounts .*|volume \S+ would go .*)$/m) ?? []
  if (told) return { cause: told, remedy: 'Nothing was taken away. Take the cause away, then run it again.' }
  return explainKubectl(output)
}
