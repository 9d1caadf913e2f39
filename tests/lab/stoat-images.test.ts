import { sampleEnv } from '@infra/shared/env/sample'
import { describe, expect, test } from 'vitest'
import { type StoatEnv, stoatSchema } from '../../stoat/env/env.ts'
import { imagesOf } from '../../stoat/releases.ts'
import { requireLab, title } from './prerequisites.ts'
import { must } from './run.ts'
import { startStoatImages } from './stoat/images.ts'

const skip = requireLab('stoat')

describe.skipIf(skip)(title('the images of the Stoat platform', skip), () => {
  test('there is one for each name that the product uses, in each release', async () => {
    const names: string[] = []
    const importImage = async ({ archive }: { archive: string }) => {
      const manifest: { RepoTags: string[] }[] = JSON.parse(await must('tar', ['-xOf', archive, 'manifest.json']))
      names.push(...manifest.flatMap(({ RepoTags }) => RepoTags))
    }
    await startStoatImages({ importImage })
    const env = sampleEnv(stoatSchema) as StoatEnv
    const stores = [env.STOAT_CADDY_IMAGE, env.STOAT_MONGODB_IMAGE, env.STOAT_RABBITMQ_IMAGE]
    const wanted = [...stores, env.STOAT_MINIO_IMAGE, env.STOAT_MINIO_CLIENT_IMAGE]
    for (const release of ['revolt', 'stoat', 'next'] as const)
      wanted.push(...Object.values(imagesOf({ ...env, STOAT_IMAGES: release })))
    expect(wanted.filter((name) => !names.includes(name))).toEqual([])
  })
})
