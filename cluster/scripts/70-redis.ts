import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { deployment } from '@infra/shared/platform/workload'
import type { ClusterContext } from '../context.ts'
import { redis } from '../manifests/redis.ts'

export default script(
  'redis',
  { about: 'Redis with a volume of its own', tags: ['workloads'] },
  (context: ClusterContext) =>
    deployment(context, 'redis', {
      objects: redis({
        image: context.env.REDIS_IMAGE,
        size: context.env.REDIS_STORAGE,
        storageClass: context.env.STORAGE_CLASS,
      }),
      workloads: ['statefulset/redis'],
    }),
)

standalone(import.meta.url)
