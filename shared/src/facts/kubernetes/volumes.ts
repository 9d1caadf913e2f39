import type { Output } from '../../command/command.ts'
import { kubeGet } from '../../command/kube-get.ts'
import { kubectlFault } from '../../command/kubectl.ts'
import type { Question } from '../../engine/step.ts'

/** A volume that somebody has claimed. */
export interface VolumeClaim {
  readonly name: string
  /** Whose pods use it, by the label `app`. */
  readonly app: string | undefined
  /** `10Gi`. */
  readonly size: string
}

const lines = ({ code, stdout, stderr }: Output): string[] => {
  if (code === 127) return []
  if (code !== 0 && !/^Error from server \(NotFound\)/m.test(stderr)) throw kubectlFault({ code, stderr })
  return stdout.split('\n').filter((line) => line.trim() !== '')
}

// One command for both questions, so that a run asks it once.
const list = (namespace: string) => {
  const paths = [
    ...['.metadata.name', '.metadata.labels.app'],
    ...['.spec.resources.requests.storage', '.metadata.creationTimestamp'],
  ]
  return kubeGet({ kinds: ['persistentvolumeclaims'], namespace, print: { as: 'columns', paths } })
}

/** The claims of a namespace. */
export function volumeClaims(namespace: string): Question<readonly VolumeClaim[]> {
  return {
    command: list(namespace),
    parse: (output) =>
      lines(output).map((line) => {
        const [name = '', app, size = ''] = line.split(/\s+/)
        return { name, app: app === '<none>' ? undefined : app, size }
      }),
  }
}

/** When a volume was claimed, in seconds since 1970; null where it is not. */
export function claimedAt(namespace: string, name: string): Question<number | null> {
  return {
    command: list(namespace),
    parse(output) {
      const found = lines(output).find((line) => line.startsWith(`${name} `))
      return found === undefined ? null : Date.parse(found.trim().split(/\s+/).at(-1) ?? '') / 1000
    },
  }
}
