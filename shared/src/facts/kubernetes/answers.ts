import type { Output } from '../../command/command.ts'
import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** What something in the cluster answers, or why it does not. */
export interface Answer {
  readonly ok: boolean
  readonly text: string
}

/** What a Service answers to a GET, asked through the API server's proxy: `serviceAnswer('bots', 'bot:http', '/health')`. */
export function serviceAnswer(namespace: string, service: string, path: string): Question<Answer> {
  return {
    command: sh`kubectl get --raw ${`/api/v1/namespaces/${namespace}/services/${service}/proxy${path}`} 2>&1`,
    parse,
  }
}

/** What a command prints in a pod. */
export function podAnswer(namespace: string, pod: string, command: readonly string[]): Question<Answer> {
  return { command: sh`kubectl exec -n ${namespace} ${pod} -- ${command} 2>&1`, parse }
}

// A pod that refuses a connection is a finding, and no fault of the way to the cluster: its error is part of the answer.
function parse({ code, stdout }: Output): Answer {
  const text = stdout.trim().split('\n').at(-1) ?? ''
  return { ok: code === 0, text: text || (code === 127 ? 'there is no cluster' : `exit code ${code}`) }
}
