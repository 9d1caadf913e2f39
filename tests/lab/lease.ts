import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder, reapScratch, withLock } from './cache.ts'
import { identify, isAlive, type ProcessId, parseId, printId } from './process-id.ts'
import { must } from './run.ts'

/** One lab host's number and what is recorded of it, so that it can be taken away whoever died. */
export type Lease = {
  readonly number: number
  readonly folder: string
  /** Notes a fact for the clean-up: `launcher` (the parent of its first process) or `work` (its files). */
  record(name: 'launcher' | 'work', text: string): Promise<void>
  /** Leaves the host running when this process ends; only `release` or `endHost` takes it away. */
  keep(): Promise<void>
  release(): Promise<void>
}

/** Machine-wide state of running labs; a reboot takes it away with the hosts. */
export const stateFolder = '/run/infra-lab'
const hostsFolder = join(stateFolder, 'hosts')
const cleanup = fileURLToPath(new URL('cleanup.sh', import.meta.url))

const [firstNumber, numbers] = [10, 240]

/**
 * Takes a free number: the next one after the last that was given out, so that none comes again before all others have
 * been. One process at a time, or a slow one would go on from a number that is long past.
 */
export async function takeLease(): Promise<Lease> {
  await mkdir(hostsFolder, { recursive: true, mode: 0o700 })
  return withLock(join(stateFolder, 'lock'), takeNext)
}

async function takeNext(): Promise<Lease> {
  const token = randomBytes(8).toString('hex')
  const draft = join(hostsFolder, `.${token}`)
  await mkdir(draft)
  const me = identify(process.pid)
  if (me === undefined) throw new Error('lab: /proc is not readable')
  await writeFile(join(draft, 'owner'), printId(me))
  await writeFile(join(draft, 'token'), token)
  const lastFile = join(stateFolder, 'last')
  const last = Number(await readFile(lastFile, 'utf8').catch(() => '')) || firstNumber - 1
  for (let step = 1; step <= numbers; step++) {
    const number = firstNumber + ((last - firstNumber + step) % numbers)
    const folder = join(hostsFolder, String(number))
    if (existsSync(folder)) continue
    try {
      await rename(draft, folder)
    } catch {
      continue
    }
    await writeFile(`${lastFile}.${token}`, String(number))
    await rename(`${lastFile}.${token}`, lastFile)
    return guarded(number, folder, token)
  }
  await rm(draft, { recursive: true })
  throw new Error(`lab: ${numbers} hosts are running; end some`)
}

function guarded(number: number, folder: string, token: string): Lease {
  const guard = startGuard(folder, token)
  return {
    number,
    folder,
    record: (name, text) => writeFile(join(folder, name), text),
    keep: async () => {
      await rm(join(folder, 'owner'), { force: true })
      guard.stdin?.end('keep\n')
    },
    release: async () => {
      await must('sh', [cleanup, folder, token])
      guard.stdin?.end('keep\n')
    },
  }
}

// Its input closes when we end, by whatever: then it cleans up after us. In a session of its own, so that Ctrl-C in
// our terminal does not reach it.
function startGuard(folder: string, token: string): ChildProcess {
  const script = 'read -r word; [ "$word" = keep ] || exec sh "$@"'
  const guard = spawn('sh', ['-c', script, 'sh', cleanup, folder, token], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.unref()
  const input = guard.stdin as unknown as { unref?: () => void } | null
  input?.unref?.()
  guard.stdin?.on('error', () => {})
  return guard
}

/** Takes away what dead owners left (their guard died too, as by a reboot); hosts that are kept stay. */
export async function reap(): Promise<readonly number[]> {
  const reaped: number[] = []
  for (const number of await runningHosts()) {
    const owner = await readFile(join(hostsFolder, String(number), 'owner'), 'utf8').catch(() => undefined)
    const id = owner === undefined ? undefined : parseId(owner)
    if (id === undefined || isAlive(id)) continue
    await endHost(number)
    reaped.push(number)
  }
  await reapFiles()
  return reaped
}

// A reboot forgets the leases but not the files. A lease names its files before it makes them.
async function reapFiles(): Promise<void> {
  await reapScratch()
  const all = join(cacheFolder(), 'hosts')
  const found = await readdir(all).catch(() => [])
  const numbers = await runningHosts()
  const used = await Promise.all(
    numbers.map((number) => readFile(join(hostsFolder, String(number), 'work'), 'utf8').catch(() => '')),
  )
  for (const name of found)
    if (!used.includes(join(all, name))) await must('rm', ['-rf', '--one-file-system', join(all, name)])
}

/** Numbers of the hosts that are on this machine now, whoever started them. */
export async function runningHosts(): Promise<readonly number[]> {
  const names = await readdir(hostsFolder).catch(() => [])
  return names.filter((name) => /^\d+$/.test(name)).map(Number)
}

/** What is written down of a host: `launcher` as soon as it is booted. */
export type LeaseRecord = { readonly token: string; readonly work: string; readonly launcher: ProcessId | undefined }

/** The host that has this number now. */
export async function readLease(number: number): Promise<LeaseRecord | undefined> {
  const noted = (name: string) => readFile(join(hostsFolder, String(number), name), 'utf8').catch(() => '')
  const [token, work, launcher] = await Promise.all(['token', 'work', 'launcher'].map(noted))
  return token ? { token, work: work ?? '', launcher: parseId(launcher ?? '') } : undefined
}

/** Takes a host away by its number, a kept one too. */
export async function endHost(number: number): Promise<void> {
  const folder = join(hostsFolder, String(number))
  const token = await readFile(join(folder, 'token'), 'utf8').catch(() => '')
  if (token !== '') await must('sh', [cleanup, folder, token])
}
