import { copyFile, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached, scratchFolder } from '../cache.ts'
import { must, tether } from '../run.ts'

const sources = fileURLToPath(new URL('rust/', import.meta.url))

/** What a release of Stoat makes of its settings. */
export interface ReadSettings {
  /** All settings, upstream's defaults too. */
  readonly read: unknown
  /** Paths of keys that it has no use for: `hosts.gifbox`. */
  readonly ignored: readonly string[]
}

/** The program that reads settings with upstream's own crate of each release; built once, its versions by Cargo.lock. */
export async function settingsReader(): Promise<string> {
  const files = (await readdir(sources, { recursive: true })).filter((name) => /\.(rs|toml|lock)$/.test(name)).sort()
  const texts = await Promise.all(files.map(async (name) => [name, await readFile(join(sources, name), 'utf8')]))
  const folder = await cached('rust', { version: 1, texts }, async (to) => {
    await cp(sources, join(to, 'source'), { recursive: true })
    const [program, ...args] = [...tether, 'nice', 'cargo', 'build', '--quiet', '--locked']
    await must(program ?? '', args, { cwd: join(to, 'source'), env: { CARGO_TARGET_DIR: join(to, 'target') } })
    await copyFile(join(to, 'target/debug/read-settings'), join(to, 'read-settings'))
    await rm(join(to, 'target'), { recursive: true })
  })
  return join(folder, 'read-settings')
}

/** Reads the two files as the programs of a release do. Throws their words where they do not take them. */
export async function readSettings(
  release: 'stoat' | 'next',
  files: { readonly 'Revolt.toml': string; readonly 'Revolt.overrides.toml': string },
): Promise<ReadSettings> {
  const folder = await scratchFolder('settings')
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 })
  return JSON.parse(await must(await settingsReader(), [release], { cwd: folder }))
}
