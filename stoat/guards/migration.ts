import { sh } from '@infra/shared/command/sh'
import { type Change, changes, type Decision, type Explained, type Step, step, update } from '@infra/shared/engine/step'
import { namespace } from '@infra/shared/platform/names'
import type { StoatContext } from '../context.ts'
import { type Answered, type DatabaseState, databaseState, told } from '../database-state.ts'
import type { StoatEnv } from '../env/env.ts'
import { auditLogsSince, imagesOf, migrationsBetween, revisionOf } from '../releases.ts'
import { stoatServices, stores } from '../services.ts'

const { name } = stoatServices.api
const workload = `deployment/${name}`

/**
 * The database has the revision of the release: the api migrates it at its start, before it listens. One that is ready
 * and has not done so is started again. From revision 52 on it needs a second start for the last of its migrations.
 */
export function databaseMigrated({ kube, env }: StoatContext): Step {
  return step({
    id: 'revision of the database',
    on: kube,
    dependsOn: ['rollout services-api'],
    ask: { database: databaseState() },
    plan: ({ database }) => judgeMigration(env, database),
  })
}

/** What is left of the way to the release's revision. */
export function judgeMigration(env: StoatEnv, database: Answered<DatabaseState>): Decision {
  const [state, to] = [told(database), revisionOf(imagesOf(env).api)]
  if (!state || state.revision === null || to === undefined) return changes([], 'not known')
  const { revision } = state
  const list: Change[] = []
  if (revision < to)
    list.push(
      update(
        `database revolt: revision ${revision} → ${to} (${migrationsBetween(revision, to).join('; ')})`,
        [...restart(env), reads(to)],
        { risk: 'data', explain: () => unmigrated },
      ),
    )
  if (to >= auditLogsSince && !state.auditLogs)
    list.push(
      update(`restart ${workload}: it makes audit_logs at its second start`, restart(env), {
        risk: 'downtime',
        explain: () => unmigrated,
      }),
    )
  return changes(list, `revision ${revision}`)
}

const restart = ({ ROLLOUT_TIMEOUT }: StoatEnv) => [
  sh`kubectl rollout restart ${workload} -n ${namespace}`,
  sh`kubectl rollout status ${workload} -n ${namespace} --timeout=${`${ROLLOUT_TIMEOUT}s`}`,
]

const reads = (to: number) => {
  const script = `const { revision } = db.migrations.findOne({ _id: 0 }); print('revision ' + revision); if (revision < ${to}) quit(1)`
  return sh`kubectl exec -n ${namespace} ${`${stores.mongodb.name}-0`} -- mongosh --quiet revolt --eval ${script}`
}

/** What to do about an api that does not get over a migration. */
export const whatNext =
  'npm run logs -w stoat -- api --previous tells why. When the cause is mended, deploy again: the migration begins anew where the recorded revision is. To go back, restore the backup with the release that made it (npm run restore -w stoat).'

const unmigrated: Explained = { cause: `${name} did not migrate the database`, remedy: whatNext }
