import type { Output } from '@infra/shared/command/command'
import type { JobState } from '@infra/shared/facts/kubernetes/job'
import { volumeRoom } from '@infra/shared/facts/kubernetes/volume-room'
import { blank } from '@infra/shared/targets/blank'
import { describe, expect, test } from 'vitest'
import { insideChecks } from '../../../stoat/checks/inside.ts'
import { judgeBucket, judgeRoom } from '../../../stoat/checks/stores.ts'
import type { StoatContext } from '../../../stoat/context.ts'
import { stoatEnv } from './env.ts'

const gib = 1024 ** 3
const names = ['stoat-mongodb', 'stoat-minio']
const room = (capacity: number, available: number, outOfInodes = false) => ({ capacity, available, outOfInodes })

describe('the volumes of the stores', () => {
  test.each<[what: string, found: Record<string, ReturnType<typeof room>>, says: object]>([
    ['have room', { mongodb: room(10, 8), minio: room(20, 10) }, { outcome: 'ok', detail: 'all of them' }],
    ['are large ones', { mongodb: room(900, 9), minio: room(900, 8) }, { outcome: 'ok' }],
    ['are not all measured', { minio: room(20, 10) }, { outcome: 'ok', detail: 'not measured: stoat-mongodb' }],
    [
      'run short of it',
      { mongodb: room(10, 1), minio: room(20, 10) },
      { outcome: 'warn', detail: 'stoat-mongodb: 1024Mi of 10240Mi left on volume data-stoat-mongodb-0' },
    ],
    [
      'are full, whatever else runs short',
      { mongodb: room(10, 1), minio: room(20, 0.01) },
      { outcome: 'fail', detail: 'full: stoat-minio: 10Mi of 20480Mi left on volume data-stoat-minio-0' },
    ],
    [
      'have no room for one more file',
      { minio: room(20, 10, true) },
      { outcome: 'fail', detail: 'full: stoat-minio: no file can be made on volume data-stoat-minio-0' },
    ],
  ])('%s', (_, found, says) => {
    const all = Object.entries(found).map(
      ([name, { capacity, available, outOfInodes }]) =>
        [`data-stoat-${name}-0`, room(capacity * gib, available * gib, outOfInodes)] as const,
    )
    expect(judgeRoom(names, new Map(all))).toMatchObject(says)
  })

  test('are measured by the kubelet of each node', () => {
    const { parse } = volumeRoom('n')
    const volume = (name: string, namespace: string, more: object = { capacityBytes: 9, availableBytes: 4 }) => ({
      pvcRef: { name, namespace },
      ...more,
    })
    const nodes = [
      { pods: [{ volume: [volume('a', 'n'), volume('b', 'other'), { capacityBytes: 1 }] }, {}] },
      {
        pods: [
          {
            volume: [
              volume('c', 'n', {}),
              volume('d', 'n', { capacityBytes: 9, availableBytes: 4, inodes: 7, inodesFree: 0 }),
            ],
          },
        ],
      },
    ]
    const stdout = `${nodes.map((node) => JSON.stringify(node)).join('\n')}\n`
    const read = (output: Output) => {
      const found = parse(output)
      return 'untried' in found ? found.untried : [...found]
    }
    expect(read({ code: 0, stdout, stderr: '' })).toEqual([
      ['a', room(9, 4)],
      ['d', room(9, 4, true)],
    ])
    expect(read({ code: 127, stdout: '', stderr: '' })).toEqual([])
    expect(() => read({ code: 1, stdout, stderr: 'Unable to connect to the server' })).toThrow(/Unable to connect/)
    const forbidden = 'Error from server (Forbidden): nodes "a" is forbidden'
    expect(read({ code: 1, stdout, stderr: forbidden })).toBe(forbidden)
    expect(judgeRoom(names, { untried: forbidden })).toEqual({ outcome: 'warn', detail: `not measured: ${forbidden}` })
  })
})

test.each<[job: JobState['result'] | undefined, claimed: number | null, says: object]>([
  ['succeeded', 50, { outcome: 'ok' }],
  ['succeeded', null, { outcome: 'ok' }],
  ['succeeded', 101, { outcome: 'fail', detail: expect.stringContaining('data-0 is younger than it') }],
  ['failed', 50, { outcome: 'fail', detail: 'failed' }],
  [undefined, 50, { outcome: 'fail', detail: 'there is none' }],
])('a bucket by its Job (%s) and its volume (%s)', (result, claimed, says) => {
  const job = result === undefined ? null : { result, recipe: 'r', made: 100 }
  expect(judgeBucket(job, claimed, 'data-0')).toMatchObject(says)
})

test('what starts an Erlang machine in the pod of the broker has the time for it', () => {
  const context = { kube: blank('kubernetes'), env: stoatEnv() } as unknown as StoatContext
  const commands = insideChecks(context).flatMap(({ asked }) =>
    Object.values(asked?.ask ?? {}).map((one) => one.command),
  )
  const slow = commands.filter(({ line }) => line.includes('rabbitmqctl'))
  expect(slow.map(({ timeoutSeconds }) => timeoutSeconds)).toEqual([60, 60])
})
