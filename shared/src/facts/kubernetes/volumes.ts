import type { Output } from '../../command/command.ts'
import { sh } from '../../command/sh.ts'
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
  if (code !== 0 && !/not found/.test(stderr)) throw new Error(stderr.trim().split('\n').at(-1) ?? `exit code ${code}`)
  return stdout.split('\n').filter((line) => line.trim() !== '')
}

/** The claims of a namespace. */
export function volumeClaims(namespace: string): Question<readonly VolumeClaim[]> {
  const columns = 'custom-columns=N:.metadata.name,A:.metadata.labels.app,S:.spec.resources.requests.storage'
  return {
    command: sh`kubectl get persistentvolumeclaims -n ${namespace} --no-headers -o ${columns}`,
    parse: (output) =>
      lines(output).map((line) => {
        const [name = '', app, size = ''] = line.split(/\s+/)
        return { name, app: app === '<none>' ? undefined : app, size }
      }),
  }
}
