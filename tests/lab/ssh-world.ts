import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '@infra/shared/engine/failure'
import { type SshTarget, ssh } from '@infra/shared/targets/ssh/ssh'
import { expect } from 'vitest'
import { launcher } from '../support/cli.ts'
import { bootHost, type LabHost } from './host.ts'
import { until } from './run.ts'
import type { ChildTask } from './ssh-child.ts'

type Address = Parameters<typeof ssh>[0]

/** A bare host, connections to it, and processes that work on it until they are killed. */
export interface SshWorld {
  readonly lab: LabHost
  /** For the files of a test. */
  readonly folder: string
  connect(more?: Partial<Address>): SshTarget
  /** A process of its own that holds the host's lock and does this; `says` waits for a line of it. */
  child(task: Omit<ChildTask, 'address'>): Promise<{ process: ChildProcess; says: (line: string) => Promise<unknown> }>
  /** Ends what a test left open, here and on the host. */
  tidy(): Promise<void>
  close(): Promise<void>
}

/** Waits until this holds. */
export const holds = (what: string, condition: () => boolean | Promise<boolean>) =>
  until(what, 30_000, async () => (await condition()) || undefined)

/** The failure that this ends with. */
export async function failure(work: Promise<unknown> | undefined): Promise<Failure> {
  const error = await work?.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Failure)
  return error as Failure
}

/** Boots it, with a user `admin` who may use sudo. */
export async function sshWorld(): Promise<SshWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'ssh-target-'))
  const lab = await bootHost({ name: 'ssh', user: 'admin' })
  const open: SshTarget[] = []
  const children: ChildProcess[] = []
  let serial = 0
  const address = (more: Partial<Address> = {}) => ({
    host: lab.address,
    port: 22,
    user: 'root',
    keyFile: lab.keyFile,
    knownHosts: join(folder, `known_hosts.${serial++}`),
    ...more,
  })
  return {
    lab,
    folder,
    connect(more) {
      const target = ssh(address(more))
      open.push(target)
      return target
    },
    async child(task) {
      const argument = JSON.stringify({ address: address(), ...task })
      const process = spawn('node', [launcher, join(import.meta.dirname, 'ssh-child.ts'), argument])
      children.push(process)
      const says = hearing(process)
      await says('locked')
      return { process, says }
    },
    async tidy() {
      await lab.heal()
      for (const process of children.splice(0)) process.kill('SIGKILL')
      for (const target of open.splice(0)) await target.close()
      await lab.exec('pkill -x sleep')
      await holds('the lock to be free', async () => (await lab.exec('ls /run/infra/lock')).code !== 0)
    },
    async close() {
      await lab.destroy()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function hearing(process: ChildProcess): (line: string) => Promise<unknown> {
  let said = ''
  for (const stream of [process.stdout, process.stderr]) {
    stream?.on('data', (chunk) => {
      said += chunk
    })
  }
  process.on('exit', (code) => {
    if (code !== null) said += `(ended with ${code})`
  })
  return (line) =>
    holds(`the child to say ${line}`, () => {
      if (said.includes('(ended')) throw new Error(`the child did not say ${line}: ${said}`)
      return said.includes(line)
    })
}
