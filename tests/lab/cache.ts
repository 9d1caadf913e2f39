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

/**
 * The folder that `build` fills for this recipe, built once whoever asks at the same time. It is built in its final
 * place (a Python venv cannot be moved) and counts only once it is marked done.
 */
export async function cached(kind: string, recipe: unknown, build: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), kind, recipeKey(recipe))
  const done = `${folder}.done`
  if (existsSync(done)) return folder
  await mkdir(join(cacheFolder(), kind), { recursive: true, mode: 0o700 })
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(done)) return
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { mode: 0o755 })
    await build(folder)
    await writeFile(done, `${JSON.stringify(recipe, null, 2)}\n`)
  })
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
