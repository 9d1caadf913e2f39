import type { Output } from '../../command/command.ts'
import { all, raw, type Shell, sh } from '../../command/sh.ts'
import { changes, create, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { runningCluster } from '../../facts/digitalocean/kubernetes.ts'
import { programThere } from '../../facts/host/program.ts'
import { kubeconfigState } from '../../facts/kubernetes/kubeconfig.ts'

export interface KubeconfigOptions {
  /** The DOKS cluster's name. */
  readonly cluster: string
  /** Where it is written, and how messages call that. */
  readonly path: string
  readonly shown: string
  readonly dependsOn: readonly Dependency[]
}

/**
 * A kubeconfig of our own for a DOKS cluster, written by doctl, which kubectl then calls to renew its credentials.
 * The user's own kubeconfig is neither read nor changed.
 */
export function kubeconfig(on: Target, { cluster: name, path, shown, dependsOn }: KubeconfigOptions): Step {
  return step({
    id: `kubeconfig ${shown}`,
    on,
    dependsOn,
    ask: { cluster: runningCluster(name), now: kubeconfigState(path), doctl: programThere('doctl') },
    plan({ cluster, now, doctl }) {
      if (!doctl) return refuse('doctl is not installed, and kubectl signs in to the cluster by it', install)
      const write = writeKubeconfig(path, cluster.id)
      if (!now) return changes([create(`${shown} (${cluster.endpoint})`, write, { explain })], '')
      if (now.renewed !== cluster.id)
        return changes([update(`${shown}: another cluster → ${cluster.endpoint}`, write, { explain })], '')
      const shut = update(`${shown} ${now.mode} → -rw-------`, sh`chmod 600 ${path}`)
      return changes(now.mode === '-rw-------' ? [] : [shut], `context ${now.context}, renewed by doctl`)
    },
  })
}

const install =
  'Install it: brew install doctl, snap install doctl, or https://docs.digitalocean.com/reference/doctl/how-to/install/'

/** Writes a kubeconfig of a DOKS cluster, by doctl. It adds to the file that KUBECONFIG names: an empty one, which then replaces ours. */
export function writeKubeconfig(path: string, id: string): Shell {
  const folder = path.slice(0, path.lastIndexOf('/'))
  return all(
    raw('umask 077'),
    sh`mkdir -p ${folder}`,
    // What a killed run left half written.
    sh`rm -f ${folder}/.kubeconfig.*`,
    sh`t=$(mktemp ${`${folder}/.kubeconfig.XXXXXX`})`,
    raw(`trap 'rm -f "$t"' EXIT`),
    sh`KUBECONFIG="$t" doctl kubernetes cluster kubeconfig save ${id} --set-current-context`,
    raw('chmod 600 "$t"'),
    sh`mv -f "$t" ${path}`,
  )
}

function explain({ stdout, stderr }: Output): string | undefined {
  const said = `${stdout}\n${stderr}`.split('\n').find((line) => /^Error:|unable to|401|403|404/i.test(line))
  return said ? `doctl says: ${said.replace(/^Error: */, '')}` : undefined
}
