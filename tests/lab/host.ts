import { mkdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { cacheFolder } from './cache.ts'
import { type Fingerprint, fingerprintDump, fingerprintFiles } from './fingerprint.ts'
import { reap, takeLease } from './lease.ts'
import { makeNetwork } from './network.ts'
import { execInside, startMachine, stopMachine } from './nspawn.ts'
import { harvestPackages, mountFiles, workFolder } from './overlay.ts'
import { type LabUser, labKey, prepareBoot, prepareHost } from './prepare.ts'
import { isAlive, type ProcessId, printId } from './process-id.ts'
import { debianRoot, type Release } from './root.ts'
import { must, type Result, until } from './run.ts'
import { type SavedState, writeState } from './states.ts'

export type BootOptions = {
  readonly release?: Release
  /** Its own name; `pod` unless told, so that a saved host keeps it. */
  readonly name?: string
  /** Start from a saved host instead of a bare one. */
  readonly from?: SavedState
  /** A sudo user beside root: `'admin'` may all without a password, with one it must type it. */
  readonly user?: string | LabUser
  /** false: root has no key, only the user can log in. */
  readonly rootKey?: boolean
  /** sshd as a cloud image has it: a drop-in that turns passwords back on. */
  readonly cloudInit?: boolean
  /** Limits the disk (held in memory), for `fillDisk`. */
  readonly diskMb?: number
  /** Without IPv4: `address` and `gateway` are those of IPv6. */
  readonly only6?: boolean
}

/** A booted lab host and what can be done to it. */
export type LabHost = {
  readonly number: number
  readonly name: string
  readonly address: string
  readonly gateway: string
  /** Its address of IPv6, beside the other. */
  readonly address6: string
  readonly sshPort: 22
  readonly keyFile: string
  readonly publicKey: string
  /** Its merged root, as a path of this machine. */
  readonly root: string
  /** The first process of the host as this machine sees it; 0 when it is off. */
  leaderPid(): number
  /** Runs a shell script inside as root or another user, past ssh; nothing of it is in an argv. */
  exec(script: string, user?: string): Promise<Result>
  /** Total round-trip time added, in milliseconds. */
  latency(ms: number): Promise<void>
  partition(): Promise<void>
  heal(): Promise<void>
  /** All files and all databases, to assert that nothing was written. */
  fingerprint(): Promise<Fingerprint>
  powerOff(how?: 'clean' | 'hard'): Promise<void>
  powerOn(): Promise<void>
  /** Leaves so many KB free on a disk limited by `diskMb`. */
  fillDisk(freeKb?: number): Promise<void>
  freeDisk(): Promise<void>
  /** Powers off cleanly and keeps its files under a name and recipe; it stays off. */
  save(as: { readonly name: string; readonly recipe: unknown }): Promise<SavedState>
  /** Leaves it running when this process ends; `endHost(number)` takes it away. */
  keep(): Promise<void>
  destroy(): Promise<void>
}

/** Boots a bare Debian host, or a saved one, in about two seconds (a minute more the first time ever). */
export async function bootHost(options: BootOptions = {}): Promise<LabHost> {
  await mkdir(cacheFolder(), { recursive: true, mode: 0o700 })
  await reap()
  const release = options.from?.release ?? options.release ?? 'trixie'
  const name = options.name ?? options.from?.hostname ?? 'pod'
  const layers = options.from?.layers ?? [await debianRoot(release)]
  const key = await labKey()
  const lease = await takeLease()
  try {
    await lease.record('work', workFolder(lease.number))
    const { only6 = false } = options
    const network = await makeNetwork(lease, only6)
    const [address, gateway] = only6 ? [network.address6, network.gateway6] : [network.address, network.gateway]
    const files = await mountFiles({ number: lease.number, layers, release, diskMb: options.diskMb })
    if (options.from === undefined) {
      const user = typeof options.user === 'string' ? { name: options.user } : options.user
      const { rootKey = true, cloudInit = false } = options
      await prepareHost(files.root, { name, user, rootKey, cloudInit })
    }
    await prepareBoot(files.root, name, { address, gateway })

    const desired = {
      number: lease.number,
      root: files.root,
      namespace: network.namespace,
      log: join(files.work, 'log'),
    }
    const start = async () => {
      const started = await startMachine(desired)
      await lease.record('launcher', printId(started.nspawn))
      await isUp(started.leader, address, (script) => execInside(started.leader, script, 'root'))
      return started
    }
    let machine = await start()
    const isOn = () => isAlive(machine.leader)
    const exec = (script: string, user = 'root') => execInside(machine.leader, script, user)
    let gone = false

    const host: LabHost = {
      number: lease.number,
      name,
      address,
      gateway,
      address6: network.address6,
      sshPort: 22,
      ...key,
      root: files.root,
      leaderPid: () => (isOn() ? machine.leader.pid : 0),
      exec,
      latency: network.latency,
      partition: () => network.cut(true),
      heal: () => network.cut(false),
      fingerprint: async () => {
        const prints = await fingerprintFiles(files.root)
        const dump = isOn() ? await exec(dumpDatabases) : undefined
        if (dump !== undefined && dump.code !== 0) throw new Error(`lab: pg_dumpall failed\n${dump.stderr}`)
        for (const [object, print] of fingerprintDump(dump?.stdout ?? '')) prints.set(object, print)
        return prints
      },
      powerOff: async (how = 'clean') => {
        await stopMachine(machine, how)
        await network.forget()
        await network.cut(true)
      },
      powerOn: async () => {
        if (isOn()) return
        await network.cut(false)
        machine = await start()
      },
      fillDisk: async (freeKb = 0) => {
        if (files.disk === undefined) throw new Error('lab: only a host booted with diskMb can be filled')
        const used = await must('df', ['--output=used', '-k', files.disk])
        const size = Number(used.split('\n')[1]) + freeKb
        await must('mount', ['-o', `remount,size=${size}k`, files.disk])
      },
      freeDisk: async () => {
        if (files.disk !== undefined) await must('mount', ['-o', `remount,size=${options.diskMb}m`, files.disk])
      },
      save: async ({ name: as, recipe }) => {
        await host.powerOff('clean')
        await harvestPackages(files.upper, release)
        return writeState({ name: as, recipe, upper: files.upper, hostname: name, release, layers })
      },
      keep: lease.keep,
      destroy: async () => {
        if (gone) return
        gone = true
        network.close()
        if (isOn()) await stopMachine(machine, 'hard')
        await harvestPackages(files.upper, release)
        await lease.release()
      },
    }
    return host
  } catch (error) {
    await lease.release()
    throw error
  }
}

const dumpDatabases = `
command -v pg_dumpall >/dev/null && runuser -u postgres -- psql -qAtc 'select 1' >/dev/null 2>&1 || exit 0
cd / && runuser -u postgres -- pg_dumpall`

// Up: sshd greets, and systemd has started all it wants to start (a fingerprint before would not be stable).
async function isUp(leader: ProcessId, address: string, exec: (script: string) => Promise<Result>): Promise<void> {
  await until('sshd to greet', 60_000, async () => {
    if (!isAlive(leader)) throw new Error('lab: the host went down while it booted')
    return (await greets(address)) ? true : undefined
  })
  await until('the system to be up', 60_000, async () => {
    const state = (await exec('systemctl is-system-running --wait')).stdout.trim()
    return state === 'running' || state === 'degraded' ? state : undefined
  })
}

function greets(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22, timeout: 10_000 })
    const answer = (isThere: boolean) => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('data', (data) => answer(data.toString().startsWith('SSH-')))
    for (const event of ['error', 'timeout', 'close']) socket.once(event, () => answer(false))
  })
}
