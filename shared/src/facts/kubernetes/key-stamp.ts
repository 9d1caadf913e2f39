import { kubectlFault } from '../../command/kubectl.ts'
import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** Tells of a Secret which access key it holds, and of a pod which it started with. */
export const stampName = 'infra/key'

/**
 * The stamp of the access key that a Secret holds, `unmarked` for one that was put there by others; undefined where it
 * holds none, or is not there. The key itself is not read. `kubectl get secret`.
 */
export function keyStamp(namespace: string, secret: string): Question<string | undefined> {
  const stamp = `{{with .metadata.annotations}}{{with index . "${stampName}"}}{{.}}{{end}}{{end}}`
  const template = `{{with .data}}{{if index . "AWS_SECRET_ACCESS_KEY"}}kept {{end}}{{end}}${stamp}`
  return {
    command: sh`kubectl get secret ${secret} -n ${namespace} --ignore-not-found -o ${`go-template=${template}`}`,
    parse({ code, stdout, stderr }) {
      if (code !== 0 && code !== 127 && !/not found|NotFound/.test(stderr)) throw kubectlFault({ code, stderr })
      const found = /^kept (.*)/.exec(stdout)
      return found ? found[1]?.trim() || 'unmarked' : undefined
    },
  }
}
