import { plainText } from '../../command/command.ts'
import { raw, withStdin } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** Something that an account may or may not do, as `kubectl auth can-i` has it. */
export interface Attempt {
  readonly verb: string
  /** `pods`, `pods/exec`, `deployments.apps`. */
  readonly resource: string
  /** In the whole cluster without. */
  readonly namespace?: string
}

/** Which of these attempts a service account would be allowed. One `kubectl create` of reviews, which writes nothing. */
export function allowedAttempts(
  account: { readonly namespace: string; readonly name: string },
  attempts: readonly Attempt[],
): Question<readonly boolean[]> {
  const group = `system:serviceaccounts:${account.namespace}`
  const reviews = attempts.map(({ verb, resource, namespace }) => {
    const [path = '', ...groups] = resource.split('.')
    const [name, subresource] = path.split('/')
    return {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: `system:serviceaccount:${account.namespace}:${account.name}`,
        groups: ['system:serviceaccounts', group, 'system:authenticated'],
        resourceAttributes: { verb, group: groups.join('.'), resource: name, subresource, namespace },
      },
    }
  })
  return {
    command: withStdin(
      raw(`kubectl create -f - -o 'jsonpath={.status.allowed}{"\\n"}'`),
      plainText(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: reviews })),
    ),
    parse({ code, stdout, stderr }) {
      const answers = stdout.trim().split('\n')
      if (code !== 0 || answers.length !== attempts.length)
        throw new Error(stderr.trim().split('\n').at(-1) || 'there is no cluster to ask')
      return answers.map((answer) => answer === 'true')
    },
  }
}
