import { join } from 'node:path'
import { diagnosis } from '@infra/shared/steps/kubernetes/diagnosis'
import { runLocal } from '@infra/shared/targets/process'
import { expect, test } from 'vitest'

/** The events of a namespace in which a Deployment for each way to fail was made. */
const recorded = join(import.meta.dirname, '../recorded/kubectl-events.txt')
const crash = '475a2efe-e72b-48cc-8baa-ebf7f968dce7'
const noImage = '7d2b7f95-8830-4d5e-8fff-d1527643bddc'
const noRoom = 'ea8a642b-1bfd-4726-a381-a30d3f6f5cd4'
const hooked = 'ce1456fc-41e5-402b-8edd-0e688004bb0a'
const hookedPod = 'd3cd56a4-9433-4d98-ace5-1c1a85469e0a'
const quota = 'decc7965-286b-4650-9eda-dea6c00438f8'

/** What is told of some objects, `UID KIND CREATED` a line, at most so many events. */
async function told(most: number, ...objects: string[]): Promise<string[]> {
  const script = `${diagnosis.line}\nkubectl() { cat "$RECORDED"; }\nns=n; events ${most}`
  const { stderr } = await runLocal(script, `${objects.join('\n')}\n`, { RECORDED: recorded }, () => {})
  return stderr.split('\n').flatMap((line) => (line === '' ? [] : [line.replace(/^ {2}/, '').slice(0, 90)]))
}

test('a node that is away is named first, and those that are well are not', async () => {
  const kubectl = `kubectl() { case "$*" in 'get nodes --no-headers') printf '%s\\n' \
'pool-a   NotReady                     <none>   9d   v1.36.3' 'pool-b   Ready,SchedulingDisabled   <none>   9d   v1.36.3' \
'pool-c   Unknown                      <none>   9d   v1.36.3' ;;
'get pods -n n -l app=x --no-headers') echo 'x-1   1/1   Terminating   0   9d' ;; esac; }`
  const { stderr } = await runLocal(`${diagnosis.line}\n${kubectl}\nns=n; diagnose app=x`, '', {}, () => {})
  expect(stderr.split('\n').slice(0, 3)).toEqual([
    '  node pool-a is NotReady',
    '  node pool-c is Unknown',
    '  x-1   1/1   Terminating   0   9d',
  ])
})

test('a claim that waits is told, which the pods do not say', async () => {
  const kubectl = `kubectl() {
    case "$*" in
      *persistentVolumeClaim.claimName*) printf 'data-store-0 held' ;;
      'get persistentvolumeclaim data-store-0 '*metadata.uid*) echo ${noRoom} ;;
      'get persistentvolumeclaim data-store-0 '*) echo 'data-store-0   Pending   another   1m' ;;
      'get persistentvolumeclaim held '*) echo 'held   Bound   v   1Gi' ;;
      'get events '*) cat "$RECORDED" ;;
    esac
  }`
  const script = `${diagnosis.line}\n${kubectl}\nns=n; diagnose app=store`
  const { stderr } = await runLocal(script, '', { ...process.env, RECORDED: recorded }, () => {})
  expect(stderr.split('\n').filter((line) => line !== '')).toEqual([
    '  data-store-0   Pending   another   1m',
    expect.stringMatching(/^ {2}FailedScheduling /),
  ])
})

test.each<[string, number, string[], string[]]>([
  [
    'a Warning, and not the later events that all is well',
    3,
    [`${crash} pod 2026-11-29T04:46:13Z`],
    ['BackOff crash-6cb8859f68-5ddnl Back-off restarting failed container c in pod crash-6cb8859'],
  ],
  [
    'Warnings of all its objects, the latest first, and nothing of others',
    3,
    [`${crash} pod 2026-11-29T04:46:13Z`, `${noRoom} pod 2026-11-29T04:46:16Z`],
    [
      'BackOff crash-6cb8859f68-5ddnl Back-off restarting failed container c in pod crash-6cb8859',
      'FailedScheduling nofit-867bcf956b-pv9f8 0/1 nodes are available: 1 Insufficient cpu. no ne',
    ],
  ],
  [
    'at most so many',
    1,
    [`${noImage} pod 2026-11-29T04:46:14Z`],
    ['Failed noimage-85dd7b6497-vf7rv Failed to pull image "busybox:404": failed to pull'],
  ],
  [
    'once what was tried again with another name',
    3,
    [`${quota} controller`],
    ['FailedCreate quotaed-6b56f94c79 Error creating: pods "quotaed-6b56f94c79-'],
  ],
  [
    'what keeps a controller from making pods',
    3,
    [`${hooked} controller`],
    ['FailedCreate hooked-74dcb6c5b8 Error creating: Internal error occurred: failed calling web'],
  ],
  [
    'no such thing once it has made one, but what happened then',
    1,
    [`${hooked} controller`, `${hookedPod} pod 2026-11-29T04:45:45Z`],
    ['Started hooked-74dcb6c5b8-g9xd7 Container started'],
  ],
  ['nothing of objects that have no events', 3, ['00000000-0000-0000-0000-000000000000 pod now'], []],
])('of the events is told: %s', async (_, most, objects, lines) => {
  expect(await told(most, ...objects)).toEqual(lines.map((line) => expect.stringContaining(line)))
})
