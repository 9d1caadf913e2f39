import type { Command } from '@infra/shared/command/command'
import { component, fieldManager, kubectlApply, managedBy, type ObjectRef, partOf } from '@infra/shared/command/kubectl'
import { raw, type Shell, sh } from '@infra/shared/command/sh'
import { namespace } from '@infra/shared/platform/names'
import { copySecret } from './names.ts'

const place = ({ kind, name }: ObjectRef) => `${kind.toLowerCase()}/${name}`

/** Keeps an object as it is, in a Secret, and then takes it away, with its pods. */
export function takeAway(object: ObjectRef): Shell[] {
  const what = place(object)
  const labels = { [managedBy]: fieldManager, [partOf]: 'stoat', [component]: 'original' }
  const metadata = { name: copySecret, namespace, labels }
  const empty = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata })
  const patch = `{"data":{"${what.replace('/', '-')}.json":"%s"}}`
  return [
    // printf is the shell's own: what is copied is in no process list.
    sh`copy=$(kubectl get ${what} -n ${namespace} -o json | base64 | tr -d ${'\\n'}) && [ -n "$copy" ] || exit 1
kubectl get secret ${copySecret} -n ${namespace} >/dev/null 2>&1 || printf %s ${empty} | kubectl create -f - || exit 1
printf ${patch} "$copy" | kubectl patch secret ${copySecret} -n ${namespace} --type=merge --field-manager=${fieldManager} --patch-file=/dev/stdin`,
    sh`kubectl delete ${what} -n ${namespace} --ignore-not-found${raw(' --cascade=foreground')} --wait --timeout=180s`,
  ]
}

const others = `{{range $index, $entry := .metadata.managedFields}}{{if ne $entry.manager "${fieldManager}"}}{{if not $entry.subresource}}{{$index}} {{end}}{{end}}{{end}}`

/**
 * Has nobody else say what an object is, so that `destroy` knows it as this project's. It keeps all that it holds. The label
 * comes last: without it the object is looked at again.
 */
export function madeOurs({ kind, name }: ObjectRef): Command[] {
  const what = place({ kind, name })
  const own = (labels: Readonly<Record<string, string>>) => ({
    ...{ apiVersion: 'v1', kind },
    metadata: { name, namespace, labels: { app: name, ...labels } },
  })
  return [
    // One manager has to be left: without any, the API server makes up another.
    kubectlApply([own({})]),
    sh`while index=$(kubectl get ${what} -n ${namespace} --show-managed-fields -o ${`go-template=${others}`}) || exit 1; index=\${index%% *}; [ -n "$index" ]; do
  kubectl patch ${what} -n ${namespace} --type=json -p "$(printf ${'[{"op":"remove","path":"/metadata/managedFields/%s"}]'} "$index")" >/dev/null || exit 1
done`,
    kubectlApply([own({ [managedBy]: fieldManager, [partOf]: 'stoat' })]),
  ]
}
