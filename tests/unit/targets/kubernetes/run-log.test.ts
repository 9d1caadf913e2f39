import { type Command, type Output, revealText } from '@infra/shared/command/command'
import { takeKubeLock } from '@infra/shared/targets/kubernetes/lock'
import { addToRunLog, readRunLog } from '@infra/shared/targets/kubernetes/run-log'
import { readEntries } from '@infra/shared/targets/run-entry'
import { describe, expect, test } from 'vitest'

interface Stored {
  metadata: { name: string; resourceVersion: string }
  data?: Record<string, string>
}

/** What kubectl does with objects by name: an object is created once, and replaced in the version that was seen only. */
function cluster(forbidden: readonly string[] = []) {
  const stored = new Map<string, Stored>()
  const wrote: string[] = []
  const done = (stdout = ''): Output => ({ code: 0, stdout, stderr: '' })
  const failed = (stderr: string): Output => ({ code: 1, stdout: '', stderr })
  async function kubectl({ line, stdin }: Command): Promise<Output> {
    const [, verb = '', kind = '', name = ''] = line.split(' ')
    if (verb === 'get') {
      const found = stored.get(`${kind}/${name}`)
      return done(found ? JSON.stringify(found) : '')
    }
    if (verb === 'delete') return stored.delete(`${kind}/${name}`) ? done() : failed('NotFound')
    const object = JSON.parse(revealText(stdin as NonNullable<typeof stdin>)) as Stored & { kind: string }
    const key = `${object.kind.toLowerCase()}/${object.metadata.name}`
    if (forbidden.includes(key)) return failed('Error from server (Forbidden)')
    const seen = stored.get(key)
    if (verb === 'create' ? seen : seen?.metadata.resourceVersion !== object.metadata.resourceVersion)
      return failed(verb === 'create' ? 'AlreadyExists' : 'Conflict')
    const resourceVersion = String(Number(seen?.metadata.resourceVersion ?? 0) + 1)
    stored.set(key, { ...object, metadata: { ...object.metadata, resourceVersion } })
    wrote.push(`${verb} ${key}`)
    return done()
  }
  return { kubectl, stored, wrote }
}

const entry = 'deploy cluster; ana@laptop pid 1; commit 0123456789ab'
const results = async (kubectl: ReturnType<typeof cluster>['kubectl']) =>
  readEntries(await readRunLog(kubectl)).map(({ what, result }) => `${what}: ${result}`)

describe('what a cluster keeps of runs', () => {
  test('a line of each that ran something under the lock, and none of another', async () => {
    const { kubectl, stored, wrote } = cluster()
    const held = async (isUsed: boolean, result?: string) => {
      const lock = await takeKubeLock(kubectl, { holder: 'ana', timeout: 0, waiting() {}, entry })
      lock.isUsed = isUsed
      await lock.release(result)
    }
    await held(false, '1 change made')
    await held(true)
    expect(stored.has('lease/infra')).toBe(false)
    expect(wrote.join()).not.toContain('configmap')
    await held(true, '3 changes made')
    await held(true, 'error after 1 change made')
    expect(await results(kubectl)).toEqual([
      'deploy cluster: 3 changes made',
      'deploy cluster: error after 1 change made',
    ])
    expect(wrote.filter((one) => one.includes('configmap')).slice(-2)).toEqual([
      'create configmap/infra-runs',
      'replace configmap/infra-runs',
    ])
    expect(stored.has('lease/infra')).toBe(false)
  })

  test('what it keeps has an end: of too many lines the newest stay', async () => {
    const { kubectl } = cluster()
    for (let at = 1; at <= 503; at += 1) await addToRunLog(kubectl, entry, `${at} changes made`)
    const kept = await results(kubectl)
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([
      500,
      'deploy cluster: 4 changes made',
      'deploy cluster: 503 changes made',
    ])
  })

  test('where it may not be written, that is told, and the lock is free all the same', async () => {
    const { kubectl, stored } = cluster(['configmap/infra-runs'])
    const warnings: string[] = []
    const request = { holder: 'ana', timeout: 0, waiting() {}, entry, warn: (text: string) => void warnings.push(text) }
    const lock = await takeKubeLock(kubectl, request)
    lock.isUsed = true
    await lock.release('3 changes made')
    expect(warnings).toEqual([expect.stringMatching(/configmap infra-runs in kube-system, cannot be .* written/)])
    expect(stored.size).toBe(0)
  })
})
