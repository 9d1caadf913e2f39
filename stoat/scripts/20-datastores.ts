import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { deployment } from '@infra/shared/platform/workload'
import type { StoatContext } from '../context.ts'
import { mongodbFits } from '../guards/mongodb.ts'
import { mongodbFollows } from '../guards/mongodb-version.ts'
import { claimVariables, storeObjects, storeWorkloads } from '../manifests/stores.ts'

export default script(
  'datastores',
  { about: 'MongoDB, RabbitMQ and MinIO, each with a volume of its own', tags: ['workloads'] },
  (context: StoatContext, add) => {
    const { env } = context
    add(mongodbFits(context))
    add(mongodbFollows(context))
    const objects = storeObjects(env)
    add(deployment(context, 'datastores', { objects, workloads: storeWorkloads(env), claimVariables }))
  },
)

standalone(import.meta.url)
