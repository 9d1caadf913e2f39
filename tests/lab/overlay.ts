import { cp, link, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheFolder } from './cache.ts'
import type { Release } from './root.ts'
import { must } from './run.ts'
import { shareWheels } from './wheels.ts'

/** A host's files: read-only layers below, its own writes above. */
export type Files = {
  readonly work: string
  /** The merged root the host runs on. */
  readonly root: string
  /** What the host itself has written. */
  readonly upper: string
  /** The mount that limits the disk, when it is limited. */
  readonly disk: string | undefined
}

export type DesiredFiles = {
  readonly number: number
  /** Topmost first. */
  readonly layers: readonly string[]
  readonly release: Release
  readonly diskMb: number | undefined
}

const archives = 'var/cache/apt/archives'
const debFolder = (release: Release): string => join(cacheFolder(), 'debs', release)

/** The folder of a host's files, on the cache's file system so that packages can be shared by hard links. */
export const workFolder = (number: number): string => join(cacheFolder(), 'hosts', `${number}-${process.pid}`)

/** Mounts a host's root from its layers in a moment, nothing is copied. */
export async function mountFiles({ number, layers, release, diskMb }: DesiredFiles): Promise<Files> {
  const work = workFolder(number)
  const root = join(work, 'root')
  const disk = diskMb === undefined ? undefined : join(work, 'disk')
  await mkdir(root, { recursive: true })
  const above = disk ?? join(work, 'own')
  await mkdir(above)
  if (disk !== undefined) await must('mount', ['-t', 'tmpfs', '-o', `size=${diskMb}m,mode=755`, 'infra-lab', disk])
  const upper = join(above, 'upper')
  await mkdir(upper, { mode: 0o755 })
  await mkdir(join(above, 'work'))
  const lower = [await sharePackages(work, release), ...layers].join(':')
  // volatile: the files live no longer than the test, so no write waits for the disk. The rest: plain layers that
  // stay valid below another host.
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${join(above, 'work')},volatile`
  await must('mount', ['-t', 'overlay', 'overlay', '-o', `${options},redirect_dir=off,index=off,metacopy=off`, root])
  return { work, root, upper, disk }
}

// A layer with the packages that hosts before have downloaded: apt takes them from its archives folder as always.
async function sharePackages(work: string, release: Release): Promise<string> {
  const layer = join(work, 'packages')
  await mkdir(join(layer, archives), { recursive: true, mode: 0o755 })
  await mkdir(debFolder(release), { recursive: true })
  for (const name of await readdir(debFolder(release)))
    if (name.endsWith('.deb')) await link(join(debFolder(release), name), join(layer, archives, name))
  await shareWheels(layer, release)
  return layer
}

/** Keeps what this host has downloaded for those that come after it. */
export async function harvestPackages(upper: string, release: Release): Promise<void> {
  const known = new Set(await readdir(debFolder(release)))
  for (const name of await readdir(join(upper, archives)).catch(() => [])) {
    const file = join(upper, archives, name)
    if (!name.endsWith('.deb') || known.has(name) || !(await stat(file)).isFile()) continue
    const draft = join(debFolder(release), `.${name}.${process.pid}`)
    await cp(file, draft, { preserveTimestamps: true })
    await rename(draft, join(debFolder(release), name))
  }
}

/** Copies what a stopped host has written into a layer for other hosts, without the downloaded packages. */
export async function copyUpper(upper: string, layer: string): Promise<void> {
  await must('cp', ['-a', '--reflink=auto', upper, layer])
  for (const name of await readdir(join(layer, archives)).catch(() => []))
    if (name.endsWith('.deb')) await rm(join(layer, archives, name))
}
