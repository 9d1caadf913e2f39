import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { deployment } from '@infra/shared/platform/workload'
import type { ClusterContext } from '../context.ts'
import { redis } from '../manifests/redis.ts'

export default script(
  'redis',
  { about: 'Redis with a volume of its own', tags: ['workloads'] },
  (context: ClusterContext, add) => {
    const { REDIS_IMAGE: image, REDIS_STORAGE: size, STORAGE_CLASS: storageClass, REDIS_CLAIM: claim } = context.env
    const objects = redis({ image, size, storageClass, claim, password: context.env.REDIS_PASSWORD })
    const claimVariables = { redis: { size: 'REDIS_STORAGE', storageClass: 'STORAGE_CLASS', name: 'REDIS_CLAIM' } }
    add(deployment(context, 'redis', { objects, workloads: ['statefulset/redis'], claimVariables }))
  },
)

standalone(import.meta.url)
