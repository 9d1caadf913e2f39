import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from '../run.ts'

/** What a container of an image starts with. */
export type ImageConfig = {
  readonly Cmd?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Env?: readonly string[]
  readonly User?: string
  readonly WorkingDir?: string
}

/** An image in an archive, by its full name. */
type NamedConfig = { readonly name: string; readonly config: ImageConfig }

/**
 * Packs a folder as the only layer of several images, in the format of `docker save`, which containerd, buildah, docker
 * and podman read. The same files make the same images. Capabilities of files are kept.
 */
export async function packImages(root: string, archive: string, images: readonly NamedConfig[]): Promise<void> {
  const parts = `${archive}.parts`
  await must('mkdir', ['-p', parts])
  const layer = join(parts, 'layer.tar')
  const capabilities = ['--xattrs', '--xattrs-include=security.capability']
  const tar = [...capabilities, '--sort=name', '--mtime=@0', '--numeric-owner', '--one-file-system']
  await must('tar', [...tar, '-C', root, '-cf', layer, '.'])
  const digest = `sha256:${await hashFile(layer)}`
  const files = images.map((_, index) => `config-${index}.json`)
  for (const [index, { config }] of images.entries()) {
    const image = {
      architecture: { x64: 'amd64' }[process.arch as string] ?? process.arch,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config,
      rootfs: { type: 'layers', diff_ids: [digest] },
      history: [{ created: '1970-01-01T00:00:00Z', created_by: 'lab' }],
    }
    await writeFile(join(parts, files[index] ?? ''), JSON.stringify(image))
  }
  const manifest = images.map(({ name }, index) => ({ Config: files[index], RepoTags: [name], Layers: ['layer.tar'] }))
  await writeFile(join(parts, 'manifest.json'), JSON.stringify(manifest))
  await must('tar', ['-C', parts, '-cf', `${archive}.draft`, 'manifest.json', ...files, 'layer.tar'])
  await rename(`${archive}.draft`, archive)
  await rm(parts, { recursive: true })
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
