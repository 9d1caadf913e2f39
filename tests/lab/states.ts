import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder, recipeKey, withLock } from './cache.ts'
import { copyUpper } from './overlay.ts'
import type { Release } from './root.ts'

/** A host's files as they were when it was saved: boot another from them with `bootHost({ from })`. */
export type SavedState = {
  readonly name: string
  readonly hostname: string
  readonly release: Release
  /** Topmost first. */
  readonly layers: readonly string[]
}

const folderOf = (name: string, recipe: unknown): string =>
  join(cacheFolder(), 'states', `${name}-${recipeKey(recipe)}`)

/** The saved state of this name and recipe, when there is one and all it stands on is still there. */
export async function savedState(name: string, recipe: unknown): Promise<SavedState | undefined> {
  const file = join(folderOf(name, recipe), 'state.json')
  if (!existsSync(file)) return undefined
  const state = JSON.parse(await readFile(file, 'utf8')) as SavedState
  return state.layers.every((layer) => existsSync(layer)) ? state : undefined
}

export type Saving = {
  readonly name: string
  readonly recipe: unknown
  readonly upper: string
  readonly hostname: string
  readonly release: Release
  readonly layers: readonly string[]
}

/** Keeps a stopped host's writes as a layer; the lab's `save` calls it. */
export async function writeState({ name, recipe, upper, hostname, release, layers }: Saving): Promise<SavedState> {
  const folder = folderOf(name, recipe)
  const draft = `${folder}.draft-${process.pid}`
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true })
  await copyUpper(upper, join(draft, 'layer'))
  const state: SavedState = { name, hostname, release, layers: [join(folder, 'layer'), ...layers] }
  await writeFile(join(draft, 'state.json'), JSON.stringify(state, null, 2))
  // A host may run on the old one just now: move it aside, it goes with the old ones.
  if (existsSync(folder)) await rename(folder, `${folder}.old-${Date.now()}`)
  await rename(draft, folder)
  await forgetOld(name, folder)
  return state
}

// States of other recipes pile up as the code changes; a day is longer than any host runs.
async function forgetOld(name: string, current: string): Promise<void> {
  const states = join(cacheFolder(), 'states')
  for (const entry of await readdir(states)) {
    const folder = join(states, entry)
    if (!entry.startsWith(`${name}-`) || folder === current || entry.endsWith('.lock')) continue
    if (Date.now() - (await stat(folder)).mtimeMs > 24 * 3600 * 1000) await rm(folder, { recursive: true, force: true })
  }
}

/** The saved state of a recipe, made by `make` once whoever asks at the same time. */
export async function ensureState(
  name: string,
  recipe: unknown,
  make: (save: { readonly name: string; readonly recipe: unknown }) => Promise<SavedState>,
): Promise<SavedState> {
  const known = await savedState(name, recipe)
  if (known !== undefined) return known
  await mkdir(join(cacheFolder(), 'states'), { recursive: true })
  return withLock(`${folderOf(name, recipe)}.lock`, async () => {
    return (await savedState(name, recipe)) ?? make({ name, recipe })
  })
}
