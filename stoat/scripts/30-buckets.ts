import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { completedJob } from '@infra/shared/steps/kubernetes/job'
import type { StoatContext } from '../context.ts'
import { bucketJobObject } from '../manifests/buckets.ts'
import { fileStore } from '../manifests/revolt-toml.ts'
import { stores } from '../services.ts'

export default script(
  'buckets',
  { about: 'the bucket of all uploaded files', tags: ['workloads'] },
  ({ env, kube }: StoatContext, add) => {
    add(
      completedJob(kube, bucketJobObject(env), {
        script: 'buckets',
        workspace: 'stoat',
        result: `bucket ${fileStore(env).bucket}`,
        keptIn: env.STOAT_S3_ENDPOINT === undefined ? `data-${stores.minio.name}-0` : undefined,
        timeoutSeconds: Math.max(env.ROLLOUT_TIMEOUT, 60),
      }),
    )
  },
)

standalone(import.meta.url)
