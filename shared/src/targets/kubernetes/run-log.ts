import { type Command, type Output, plainText } from '../../command/command.ts'
import { raw, sh, withStdin } from '../../command/sh.ts'
import { Failure } from '../../engine/failure.ts'
import { entryLine } from '../run-entry.ts'
import type { Kubectl } from './lock.ts'

// Where the lock is as well: it belongs to the cluster, not to one of its workspaces.
const [namespace, name, key] = ['kube-system', 'infra-runs', 'runs.log']
/** So many lines are kept: far below the 1 MiB that an object may have. */
const keptLines = 500

interface ConfigMap {
  readonly metadata: { readonly resourceVersion: string }
  readonly data?: Readonly<Record<string, string>>
}

/** What the cluster keeps of the runs that changed it: lines. Throws where that cannot be read. */
export async function readRunLog(kubectl: Kubectl): Promise<string> {
  return (await find(kubectl))?.data?.[key] ?? ''
}

/** Adds a line, while the lock is ours: nobody else writes then. Throws where that is not allowed. */
export async function addToRunLog(kubectl: Kubectl, entry: string, result: string): Promise<void> {
  const found = await find(kubectl)
  const at = new Date().toISOString().replace(/\..*/, 'Z')
  const lines = [...(found?.data?.[key] ?? '').split('\n').filter(Boolean), entryLine(at, entry, result)]
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, ...(found && { resourceVersion: found.metadata.resourceVersion }) },
    data: { [key]: `${lines.slice(-keptLines).join('\n')}\n` },
  }
  const verb = found ? raw('kubectl replace -f -') : raw('kubectl create -f -')
  await sure(kubectl, withStdin(verb, plainText(JSON.stringify(object))))
}

async function find(kubectl: Kubectl): Promise<ConfigMap | undefined> {
  const { stdout } = await sure(kubectl, sh`kubectl get configmap ${name} -n ${namespace} --ignore-not-found -o json`)
  return stdout.trim() === '' ? undefined : (JSON.parse(stdout) as ConfigMap)
}

async function sure(kubectl: Kubectl, command: Command): Promise<Output> {
  const output = await kubectl(command)
  if (output.code === 0) return output
  throw new Failure('error', `the list of runs, configmap ${name} in ${namespace}, cannot be read or written`, {
    detail: [output.stderr.trim()],
    remedy: `It needs get, create and update of configmaps in ${namespace}.`,
  })
}
