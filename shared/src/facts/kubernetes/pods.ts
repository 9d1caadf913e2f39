import { kubeGet } from '../../command/kube-get.ts'
import { kubectlFault } from '../../command/kubectl.ts'
import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface PodState {
  readonly name: string
  /** By the label `app`. */
  readonly app: string
  /** `Running`, `Pending`, `CrashLoopBackOff` … : of its worst container where that says more. */
  readonly state: string
  readonly ready: boolean
  /** It was ready once since it started, and is not now. */
  readonly lostReadiness: boolean
  readonly restarts: number
  /** When it started, in seconds since 1970. */
  readonly started: number
  /** As the node names them, by digest: `…/discord-bot@sha256:…`. */
  readonly images: readonly string[]
  /** As they were asked for: `…/discord-bot:latest`. */
  readonly askedImages: readonly string[]
}

/** The pods of a namespace; none where there is no such namespace. */
export function podStates(namespace: string): Question<readonly PodState[]> {
  return {
    command: kubeGet({ kinds: ['pods'], namespace }),
    parse({ code, stdout, stderr }) {
      if (code === 127) return []
      if (code !== 0) throw kubectlFault({ code, stderr })
      return (JSON.parse(stdout) as { items: ApiPod[] }).items.map(readPod)
    },
  }
}

function readPod({ metadata, spec, status }: ApiPod): PodState {
  const containers = status.containerStatuses ?? []
  const ready = status.conditions?.find(({ type }) => type === 'Ready')
  const waiting = containers.find(({ state }) => state?.waiting?.reason)?.state?.waiting?.reason
  return {
    name: metadata.name,
    app: metadata.labels?.app ?? '',
    state: metadata.deletionTimestamp ? 'Terminating' : (waiting ?? status.phase ?? 'Unknown'),
    ready: ready?.status === 'True',
    lostReadiness: ready?.status === 'False' && since(ready.lastTransitionTime) > since(status.startTime) + 5000,
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    started: Math.round(Date.parse(status.startTime ?? metadata.creationTimestamp) / 1000),
    images: containers.map(({ imageID }) => imageID),
    askedImages: spec?.containers?.map(({ image }) => image) ?? [],
  }
}

// A pod that never was ready is said not to be from when its node first saw it.
const since = (time: string | undefined) => Date.parse(time ?? '')

/** When a workload was last restarted by hand, in milliseconds since 1970; 0 when never. Null when there is none. */
export function restartedAt(namespace: string, workload: string): Question<number | null> {
  const path = 'jsonpath=at {.spec.template.metadata.annotations.kubectl\\.kubernetes\\.io/restartedAt}'
  return {
    command: sh`kubectl get ${workload} -n ${namespace} --ignore-not-found -o ${path}`,
    parse({ code, stdout, stderr }) {
      if (code === 127 || (code === 0 && stdout === '')) return null
      if (code !== 0) throw kubectlFault({ code, stderr })
      return Date.parse(stdout.slice('at '.length)) || 0
    },
  }
}

// The parts of the API's answers that are read.
interface ApiPod {
  metadata: { name: string; labels?: Record<string, string>; creationTimestamp: string; deletionTimestamp?: string }
  spec?: { containers?: { image: string }[] }
  status: {
    phase?: string
    startTime?: string
    conditions?: { type: string; status: string; lastTransitionTime?: string }[]
    containerStatuses?: {
      restartCount: number
      imageID: string
      state?: { waiting?: { reason?: string } }
    }[]
  }
}
