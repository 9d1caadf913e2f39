import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rollouts } from '@infra/shared/steps/kubernetes/rollouts'
import { blankKubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { runLocal } from '@infra/shared/targets/process'
import { expect, test } from 'vitest'
import { tempFolder } from '../../../support/temp.ts'

const recorded = join(import.meta.dirname, '../recorded/kubectl-events.txt')

const options = { script: 's', workspace: 'w', namespace: 'n', workloads: ['deployment/api'], seconds: 1 } as const

/** What kubectl answers while the second revision of a Deployment does not get ready. */
const kubectl = `kubectl() {
  case "$*" in
    "rollout status deployment/api -n n --timeout=1s") return 1 ;;
    "get deployment api -n n -o jsonpath={.spec.template.spec.containers[0].image}") echo "$NEW" ;;
    "get replicaset api-1 "*image}) echo api:1 ;;
    "get replicasets -n n -l app=api --no-headers -o custom-columns=R:"*) printf '2 0 api api-2\\n1 0 api api-1\\n' ;;
    "get pods -n n -l app=api -o jsonpath={range"*) printf "$PODS" ;;
    "patch deployment/api"*) cat >/dev/null; echo '  it goes back' >&2 ;;
  esac
}
`

const line = (noWayBack?: string) => {
  const decision = rollouts(blankKubernetes(), { ...options, noWayBack, dependsOn: [] }).plan(
    { own: [] },
    { pending: [] },
  )
  const [change] = decision.kind === 'changes' ? decision.changes : []
  return { script: change?.run[0]?.line ?? '', explain: change?.explain }
}

const began = '2026-11-29T04:46:13Z'

test('only pods of the newest revision, and what makes those, are asked why', async () => {
  const log = join(tempFolder(), 'asked')
  const logged = `kubectl() {
  printf '%s\\n' "$*" >>"$LOG"
  case "$*" in
    "rollout status deployment/api -n n --timeout=1s") return 1 ;;
    "get deployment api -n n -o jsonpath={.metadata.uid}"*) echo of-api 2 ;;
    "get replicasets -n n -l app=api --no-headers -o custom-columns=O:"*)
      printf 'of-api 1 first of-api-1\\nof-api 2 second of-api-2\\nof-others 2 third of-others-2\\n' ;;
    "get events "*) cat ${recorded} ;;
  esac
}
`
  const { stderr } = await runLocal(logged + line().script, '', { ...process.env, LOG: log }, () => {})
  expect(stderr).toContain('api: not ready')
  const asked = readFileSync(log, 'utf8').split('\n')
  const pods = asked.filter((line) => /^get pods -n n -l /.test(line)).map((line) => line.split(' ')[5])
  expect([...new Set(pods)]).toEqual(['app=api,pod-template-hash=second'])
})

test.each<[what: string, pods: string, image: string, noWayBack: string | undefined, stays: boolean]>([
  ['stays where its newer image has started', `api:2 ${began}\\n`, 'api:2', 'mend it', true],
  ['goes back where that never started', 'api:2 \\n', 'api:2', 'mend it', false],
  ['goes back where only the older one has', `api:1 ${began}\\napi:2 \\n`, 'api:2', 'mend it', false],
  ['goes back to the same image with other settings', `api:1 ${began}\\n`, 'api:1', 'mend it', false],
  ['goes back where that costs nothing', `api:2 ${began}\\n`, 'api:2', undefined, false],
])('a Deployment that does not get ready %s', async (_, pods, image, noWayBack, stays) => {
  const { script, explain } = line(noWayBack)
  const output = await runLocal(kubectl + script, '', { ...process.env, PODS: pods, NEW: image }, () => {})
  expect(output.code).toBe(1)
  expect(output.stderr.includes('it goes back')).toBe(!stays)
  const cause = 'api: not ready; api: stays at its image, which has begun to work on the data'
  if (stays) expect(explain?.(output)).toEqual({ cause, remedy: 'mend it' })
  else expect(explain?.(output)).toMatch(/^api: not ready; api: went back to revision 1$/)
})
