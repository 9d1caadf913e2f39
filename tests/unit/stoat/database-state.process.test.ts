import { runLocal } from '@infra/shared/targets/process'
import { expect, test } from 'vitest'
import { databaseState } from '../../../stoat/database-state.ts'

const made = '2026-11-29T10:00:00Z'
const later = '2026-11-29T11:00:00Z'
const told = { revision: 50 }

// Lists these pods, and runs mongosh in the one that answers.
const kubectl = `kubectl() {
  case "$*" in
    *'-l app=stoat-mongodb'*) if [ -n "$PODS" ]; then echo "$PODS"; else echo "$\{SAYS:-No resources found in n namespace.}" >&2; fi; [ -z "$SAYS" ] ;;
    *"exec -n discord-bot $ANSWERS -- mongosh"*) echo "Defaulted container" >&2; echo '${JSON.stringify(told)}' ;;
    *) echo 'asked in another pod'; return 1 ;;
  esac
}`

const asked = async (pods: readonly string[], answers: string, says = '') => {
  const { command, parse } = databaseState()
  const env = { PODS: pods.join('\n'), ANSWERS: answers, SAYS: says }
  return parse(await runLocal(`${kubectl}\n${command.line}`, '', env, () => {}))
}

test.each<[of: string, pod: string, pods: string[]]>([
  ['of our StatefulSet', 'stoat-mongodb-0', [`stoat-mongodb-0 True <none> Running ${made}`]],
  [
    'of a Deployment of another maker',
    'stoat-mongodb-7d9c5b8c4d-x2x9k',
    [`stoat-mongodb-7d9c5b8c4d-x2x9k True <none> Running ${made}`],
  ],
  [
    'that serves, beside a newer one that does not yet',
    'old-1',
    [`new-1 False <none> Running ${later}`, `old-1 True <none> Running ${made}`],
  ],
  [
    'that stays, beside one that ends',
    'new-1',
    [`new-1 True <none> Running ${made}`, `old-1 True ${later} Running ${later}`],
  ],
  [
    'that began, beside one that waits for a node',
    'old-1',
    [`old-1 False <none> Running ${made}`, `new-1 <none> <none> Pending ${later}`],
  ],
  ['that is the newest of two', 'new-1', [`new-1 True <none> Running ${later}`, `old-1 True <none> Running ${made}`]],
])('MongoDB is asked in the pod %s', async (_, pod, pods) => {
  expect(await asked(pods, pod)).toEqual(told)
})

test('no pod is told from one that does not answer, and from pods that could not be listed', async () => {
  expect(await asked([], 'none')).toBe('absent')
  expect(await asked([`stoat-mongodb-0 True <none> Running ${made}`], 'none')).toEqual({
    unread: 'asked in another pod',
  })
  const forbidden = 'Error from server (Forbidden): pods is forbidden'
  expect(await asked([], 'none', forbidden)).toEqual({ unread: forbidden })
})
