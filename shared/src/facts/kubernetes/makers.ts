import type { Output } from '../../command/command.ts'
import { fieldManager, keyOf, kubectlFault } from '../../command/kubectl.ts'
import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'
import { ownPlace } from './objects.ts'

// Of each manager of an object: how it wrote, its name and what it says beside metadata; the label that only a namespace's maker has.
const label = '{{range $label, $_ := .}}{{if eq $label "f:kubernetes.io/metadata.name"}} made{{end}}{{end}}'
const labels = `{{with index . "f:metadata"}}{{with index . "f:labels"}}${label}{{end}}{{end}}`
const fields = `{{with .fieldsV1}}{{range $field, $_ := .}} {{$field}}{{end}}${labels}{{end}}`
const managers = `{{range .metadata.managedFields}}{{if not .subresource}}{{"\\t"}}{{.operation}} {{.manager}}${fields}{{end}}{{end}}`
const template = `{{range .items}}{{.kind}}{{"\\t"}}{{with .metadata.namespace}}{{.}}{{end}}{{"\\t"}}{{.metadata.name}}${managers}{{"\\n"}}{{end}}`

/** Kubernetes itself, and what somebody does by hand to an object that is there. */
const noMakers = /^(kube-.*|kubelet|kubectl-(annotate|autoscale|edit|label|patch|rollout|scale|set))$/

/**
 * Who else has said what the objects of a workspace are, by {@link keyOf}: one that has an entry was there before and
 * was adopted. Kubernetes does not write down who made an object, but whose its fields are.
 */
export function otherMakers(workspace: string): Question<ReadonlyMap<string, string>> {
  const { kinds, selector } = ownPlace(workspace)
  return { command: sh`kubectl get ${kinds} -A -l ${selector} -o ${`go-template=${template}`}`, parse: parseMakers }
}

function parseMakers({ code, stdout, stderr }: Output): Map<string, string> {
  if (code === 127) return new Map()
  if (code !== 0) throw kubectlFault({ code, stderr })
  const made = stdout
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line): [string, string][] => {
      const [kind = '', namespace, name = '', ...entries] = line.split('\t')
      const maker = entries.map(readManager).find((one) => isOther(one) && one.says.some(isOwnSay))
      return maker ? [[keyOf({ kind, namespace: namespace || undefined, name }), maker.name]] : []
    })
  return new Map(made)
}

interface Manager {
  /** `Apply` for server-side apply, else `Update`. */
  readonly operation: string
  readonly name: string
  readonly says: readonly string[]
}

const readManager = (entry: string): Manager => {
  const [written = '', ...says] = entry.split(/ (?=f:|made$)/)
  const [operation = '', name = ''] = written.split(/ (.*)/s)
  return { operation, name, says }
}

const isOther = ({ operation, name }: Manager) =>
  name !== fieldManager &&
  !name.startsWith(`${fieldManager}-`) &&
  !noMakers.test(name) &&
  // `kubectl rollout undo`, by hand or by an earlier release of this program. `kubectl apply --server-side` is a maker.
  !(name === 'kubectl' && operation === 'Update')

// Labels and annotations are put on what is another's.
const isOwnSay = (field: string) => field !== 'f:metadata' && field !== 'f:status'
