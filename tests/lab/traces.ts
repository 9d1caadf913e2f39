import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type LeaseRecord, readLease } from './lease.ts'
import { identify, isAlive, type ProcessId } from './process-id.ts'
import { until } from './run.ts'

/**
 * What one lab host has put on the machine, each thing by what no other ever has: a process by its start, a place by its
 * inode. Its number alone may be another host's as soon as it is gone.
 */
export type Traces = {
  readonly number: number
  readonly lease: LeaseRecord
  readonly processes: readonly (ProcessId & { readonly args: string })[]
  readonly places: ReadonlyMap<string, bigint>
}

/** Notes all of a running host, to be looked for when it is gone. */
export async function tracesOf(number: number): Promise<Traces> {
  const lease = await readLease(number)
  if (lease === undefined) throw new Error(`lab: no host has the number ${number}`)
  const processes = await processesOf(number, lease)
  return { number, lease, processes, places: await placesOf(number, lease) }
}

/** What is still there of it, one line each; empty when it is gone. */
export async function leftOf({ number, lease, processes, places }: Traces): Promise<string[]> {
  const left: string[] = []
  for (const { pid, start, args } of processes)
    if (isAlive({ pid, start }) && !(await isZombie(pid))) left.push(`process ${pid}: ${args}`)
  const mounts = await readFile('/proc/mounts', 'utf8')
  left.push(...mounts.split('\n').filter((line) => line.includes(`${lease.work}/`)))
  const now = await placesOf(number, lease)
  // After the places: who has the number now may have made those that were not there before, and only those.
  const holder = (await readLease(number))?.token
  if (holder === lease.token) left.push(`lease ${number}`)
  const isOthers = holder !== undefined && holder !== lease.token
  for (const [place, inode] of now) if (!isOthers || places.get(place) === inode) left.push(place)
  return left
}

/** The same once it is gone, or what is left when that takes too long: where nobody waited for its end. */
export const leftInTheEnd = (traces: Traces): Promise<string[]> =>
  until('the host to be gone', 120_000, async () => ((await leftOf(traces)).length === 0 ? [] : undefined)).catch(() =>
    leftOf(traces),
  )

/** All in the host's own world, and what works for it outside: by their arguments, which name it. */
async function processesOf(number: number, { launcher, work }: LeaseRecord): Promise<Traces['processes']> {
  const worlds = new Set<string>()
  const machine = await worldOf('self')
  const children = await readFile(`/proc/${launcher?.pid}/task/${launcher?.pid}/children`, 'utf8').catch(() => '')
  for (const child of children.trim().split(' ')) worlds.add(await worldOf(child))
  worlds.delete(machine)
  worlds.delete('')
  const names = new RegExp(`infra-?la[bg]-?${number}\\b`)
  const found: (ProcessId & { readonly args: string })[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const id = identify(Number(pid))
    const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim()
    if (id !== undefined && (names.test(args) || args.includes(work) || worlds.has(await worldOf(pid))))
      found.push({ ...id, args })
  }
  return found
}

const worldOf = (pid: string) => readlink(`/proc/${pid}/ns/pid`).catch(() => '')

/** Files and folders that are there because the host is; those of the kernel get a new inode each time they are made. */
async function placesOf(number: number, { work }: LeaseRecord): Promise<Map<string, bigint>> {
  const name = `infra-lab-${number}`
  const trees = (await readdir('/sys/fs/cgroup')).map((tree) => join('/sys/fs/cgroup', tree, name))
  const devices = ['infralab', 'infralag'].map((device) => `/sys/class/net/${device}${number}`)
  const places = new Map<string, bigint>()
  const all = [work, `/run/netns/${name}`, `/run/systemd/nspawn/propagate/${name}`, `/sys/fs/cgroup/${name}`]
  for (const place of [...all, ...trees, ...devices]) {
    const found = await stat(place, { bigint: true }).catch(() => undefined)
    if (found !== undefined) places.set(place, found.ino)
  }
  return places
}

async function isZombie(pid: number): Promise<boolean> {
  return /^State:\tZ/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tZ'))
}
