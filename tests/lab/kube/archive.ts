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

/**
 * Packs a folder as an image of one layer in the format of `docker save`, which containerd, buildah, docker and
 * podman read. The same files make the same image.
 */
export async function packImage(root: string, archive: string, name: string, config: ImageConfig): Promise<void> {
  const parts = `${archive}.parts`
  await must('mkdir', ['-p', parts])
  const layer = join(parts, 'layer.tar')
  await must('tar', [
    '--sort=name',
    '--mtime=@0',
    '--numeric-owner',
    '--one-file-system',
    '-C',
    root,
    '-cf',
    layer,
    '.',
  ])
  const digest = `sha256:${await hashFile(layer)}`
  const image = {
    architecture: { x64: 'amd64' }[process.arch as string] ?? process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config,
    rootfs: { type: 'layers', diff_ids: [digest] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'lab' }],
  }
  await writeFile(join(parts, 'config.json'), JSON.stringify(image))
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]
  await writeFile(join(parts, 'manifest.json'), JSON.stringify(manifest))
  await must('tar', ['-C', parts, '-cf', `${archive}.draft`, 'manifest.json', 'config.json', 'layer.tar'])
  await rename(`${archive}.draft`, archive)
  await rm(parts, { recursive: true })
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
