import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { scratchFolder } from '../cache.ts'
import { reap, takeLease } from '../lease.ts'
import { makeNetwork } from '../network.ts'
import { must, tether, until } from '../run.ts'
import { standInProgram } from './go-programs.ts'
import { bucketCommand, planStores, removeStores, type StoreName } from './plain-stores.ts'
import { asBroker, type Platform, type ProgramName } from './platform.ts'
import { newSettings, publicToml, type Settings, secretToml } from './settings.ts'

/** How upstream calls its programs. */
export const upstreamNames: Readonly<Record<ProgramName, string>> = {
  api: 'revolt-delta',
  events: 'revolt-bonfire',
  autumn: 'revolt-autumn',
  january: 'revolt-january',
  gifbox: 'revolt-gifbox',
  crond: 'revolt-crond',
  pushd: 'revolt-pushd',
}

const ports: Readonly<Partial<Record<ProgramName, number>>> = {
  api: 14702,
  events: 14703,
  autumn: 14704,
  january: 14705,
  gifbox: 14706,
}

/**
 * The platform as plain processes in a network of their own, stores on its loopback: ready in seconds. The programs are
 * the stand-ins, or upstream's own out of a folder `upstream`.
 */
export async function startPlain(upstream?: string): Promise<Platform> {
  await reap()
  const standIn = await standInProgram()
  const lease = await takeLease()
  try {
    const { namespace, address, close } = await makeNetwork(lease)
    const folder = await scratchFolder('stoat')
    const home = join(folder, 'home/nonroot')
    for (const name of [home, join(folder, 'log')]) await mkdir(name, { recursive: true })
    let settings = newSettings()
    const stores = await planStores(folder, settings)
    const broker = { url: `http://${address}:15672`, password: settings.rabbitPassword }
    const running = new Map<string, ChildProcess>()
    const enter = [...tether, 'nsenter', `--net=/run/netns/${namespace}`, '--']

    const launch = (name: string, command: readonly string[], env: Readonly<Record<string, string>>) => {
      const log = openSync(join(folder, 'log', name), 'a', 0o600)
      const [program = '', ...args] = [...enter, ...command]
      const child = spawn(program, args, {
        cwd: home,
        env: { PATH: process.env.PATH, ...env },
        stdio: ['ignore', log, log],
      })
      closeSync(log)
      running.set(name, child)
      return child
    }
    const logOf = (name: string) => readFile(join(folder, 'log', name), 'utf8').catch(() => '')
    const listens = (name: string, port: number) =>
      until(`${name} on port ${port}`, 90_000, async () => {
        const child = running.get(name)
        if (child === undefined || hasEnded(child)) throw new Error(`lab: ${name} ended\n${tail(await logOf(name))}`)
        return (await accepts(address, port)) || undefined
      })
    const stop = async (name: string) => {
      const child = running.get(name)
      running.delete(name)
      if (child === undefined || hasEnded(child)) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    }
    const startStore = async (name: StoreName) => {
      const { command, env, port } = stores[name]
      launch(name, command, env)
      await listens(name, port)
      // The broker's port opens before it serves.
      if (name === 'rabbitmq')
        await until('the broker', 90_000, async () => (await asBroker(broker, 'whoami')).ok || undefined)
    }
    const startProgram = (name: ProgramName) =>
      launch(name, upstream === undefined ? [standIn, name] : [join(upstream, upstreamNames[name])], { HOME: home })
    const start = async (name: ProgramName) => {
      startProgram(name)
      const port = ports[name]
      if (port !== undefined) await listens(name, port)
    }
    const configure = async (changes: Partial<Settings>) => {
      settings = { ...settings, ...changes }
      await writeFile(join(home, 'Revolt.toml'), publicToml(settings, address))
      await writeFile(join(home, 'Revolt.overrides.toml'), secretToml(settings), { mode: 0o600 })
    }
    await configure({})
    return {
      url: (name) => `http://${address}:${ports[name] ?? 0}`,
      broker,
      settings: () => settings,
      inside: enter,
      configure,
      startStore,
      stopStore: stop,
      wipeStore: (name) => stores[name].wipe(),
      makeBucket: async () => {
        const { command, env } = bucketCommand(folder, settings)
        const [program = '', ...args] = [...enter, ...command]
        await must(program, args, { env })
      },
      start,
      stop,
      ends: async (name, timeoutMs) => {
        await stop(name)
        const child = startProgram(name)
        const code = new Promise<number>((resolve) => child.once('exit', (number) => resolve(number ?? 128)))
        const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), timeoutMs).unref())
        return Promise.race([code, late])
      },
      log: logOf,
      end: async () => {
        for (const name of [...running.keys()]) await stop(name)
        close()
        await lease.release()
        await removeStores(folder)
      },
    }
  } catch (error) {
    await lease.release()
    throw error
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const tail = (text: string): string => text.trim().split('\n').slice(-15).join('\n')

const accepts = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 20_000 })
    const answer = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
    socket.once('timeout', () => answer(false))
  })
