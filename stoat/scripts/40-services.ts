import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { namespace } from '@infra/shared/platform/names'
import { deployment } from '@infra/shared/platform/workload'
import { youngerThan } from '@infra/shared/steps/kubernetes/younger-than'
import type { StoatContext } from '../context.ts'
import { databaseMade, databaseMakeable } from '../guards/database.ts'
import { databaseMigrated, whatNext } from '../guards/migration.ts'
import { redisPresent } from '../guards/redis.ts'
import { databaseFits } from '../guards/release.ts'
import { noUnfinishedRestore } from '../guards/restore.ts'
import { programObjects, workloadsOf } from '../manifests/programs.ts'
import { stoatServices, stores } from '../services.ts'

export default script(
  'services',
  { about: 'the programs of Stoat, in the order in which they need each other', tags: ['workloads'] },
  (context: StoatContext, add) => {
    const { env, kube } = context
    add(noUnfinishedRestore(context))
    if (env.STOAT_REDIS_URL === undefined) add(redisPresent(context))
    const wave = (name: 'workers' | 'api' | 'rest') => {
      const ofWave = { objects: programObjects(env, name), workloads: workloadsOf(name) }
      add(deployment(context, `services-${name}`, { ...ofWave, ...(name === 'api' && { noWayBack: whatNext }) }))
    }
    add(databaseFits(context))
    wave('workers')
    wave('api')
    add(
      youngerThan(kube, {
        namespace,
        deployments: [stoatServices.crond.name, stoatServices.pushd.name, stoatServices.api.name],
        than: stores.rabbitmq.name,
        why: 'RabbitMQ started after it, and it does not connect again',
        provided: { [stoatServices.api.name]: databaseMakeable },
        timeoutSeconds: env.ROLLOUT_TIMEOUT,
        dependsOn: ['rollout datastores'],
      }),
    )
    add(databaseMade(context))
    add(databaseMigrated(context))
    wave('rest')
  },
)

standalone(import.meta.url)
