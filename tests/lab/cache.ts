import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { resolve as absolute, join } from 'node:path'
import { identify, isAlive, parseId } from './process-id.ts'

/** Where the lab keeps what is slow to make: `$LAB_CACHE`, else `~/.cache/infra-lab`. */
export const cacheFolder = (): string => absolute(process.env.LAB_CACHE || join(homedir(), '.cache', 'infra-lab'))

/** A short name for a recipe: another recipe, another name, so nothing stale is ever used. */
export const recipeKey = (recipe: unknown): string =>
  createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12)

/**
 * Runs `work` while holding a lock between processes. The lock is the kernel's (flock), held by a child that ends
 * when its input closes, so it never outlives us, whatever ends us.
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  // In a session of its own: Ctrl-C in our terminal is for us to answer.
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; read -r _'], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => holder.on('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    holder.on('error', reject)
    holder.stdout.once('data', () => resolve())
    holder.once('close', (code) => reject(new Error(`lab: could not lock ${file} (flock ended with ${code})`)))
  })
  try {
    return await work()
  } finally {
    holder.stdin.end()
    await ended
  }
}

let told: { readonly say: (line: string) => void; readonly everyMs: number } | undefined

/** Has told what is built, when it begins, again and again while it goes on, and when it is done. */
export function tellBuilds(say: (line: string) => void, everyMs = 30_000): void {
  told = { say, everyMs }
}

/** Does long work while it is told of. */
async function telling<T>(what: string, work: () => Promise<T>): Promise<T> {
  if (!told) return work()
  const { say, everyMs } = told
  const began = Date.now()
  const elapsed = () => {
    const seconds = Math.round((Date.now() - began) / 1000)
    return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  }
  say(`builds ${what}, which is kept; Ctrl-C loses this one only`)
  const timer = setInterval(() => say(`still builds ${what}: ${elapsed()}`), everyMs)
  try {
    const result = await work()
    say(`built ${what} in ${elapsed()}`)
    return result
  } finally {
    clearInterval(timer)
  }
}

/**
 * The folder that `build` fills for this recipe, built once whoever asks at the same time. It is built in its final
 * place (a Python venv cannot be moved) and counts only once it is marked done. `called` is what is told of it.
 */
export async function cached(
  kind: string,
  recipe: unknown,
  build: (folder: string) => Promise<void>,
  called = kind,
): Promise<string> {
  const folder = join(cacheFolder(), kind, recipeKey(recipe))
  const done = `${folder}.done`
  if (existsSync(done)) return folder
  await mkdir(join(cacheFolder(), kind), { recursive: true, mode: 0o700 })
  const make = async () => {
    if (existsSync(done)) return
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { mode: 0o755 })
    await build(folder)
    await writeFile(done, `${JSON.stringify(recipe, null, 2)}\n`)
  }
  // Or another process builds it, for which this one waits.
  await telling(called, () => withLock(`${folder}.lock`, make))
  return folder
}

/** A folder for as long as this process lives; `reapScratch` removes it when we could not. */
export async function scratchFolder(name: string): Promise<string> {
  const me = identify(process.pid)
  const mine = join(cacheFolder(), 'tmp', `${process.pid}-${me?.start}`)
  await mkdir(mine, { recursive: true, mode: 0o700 })
  return mkdtemp(join(mine, `${name}-`))
}

/** Removes the scratch folders of processes that have ended. */
export async function reapScratch(): Promise<void> {
  const all = join(cacheFolder(), 'tmp')
  for (const name of await readdir(all).catch(() => [])) {
    const owner = parseId(name.replace('-', ' '))
    if (owner === undefined || !isAlive(owner)) await rm(join(all, name), { recursive: true, force: true })
  }
}
