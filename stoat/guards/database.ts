import { sh } from '@infra/shared/command/sh'
import { type Check, check, type Finding, fail, ok } from '@infra/shared/engine/check'
import type { Step } from '@infra/shared/engine/step'
import { namespace } from '@infra/shared/platform/names'
import { type Provided, youngerThan } from '@infra/shared/steps/kubernetes/younger-than'
import type { StoatContext } from '../context.ts'
import { type Answered, type DatabaseState, databaseState } from '../database-state.ts'
import { auditLogsSince, imagesOf, revisionOf } from '../releases.ts'
import { stoatServices, stores } from '../services.ts'

const pod = `${stores.mongodb.name}-0`
const mongosh = ['mongosh', '--quiet', 'revolt', '--eval']

const foreign = 'the database revolt was not made by the api'
/** Fails where the api would not start: it makes the database only where there is none. */
const makeable = `if (db.getCollectionNames().length > 0 && !db.migrations.findOne({ _id: 0 })) { print('${foreign}'); quit(1) }`

const remedy = `Restore a backup into it. Where there is none, remove what was written to it since, and deploy: ${sh`kubectl exec -n ${namespace} ${pod} -- ${[...mongosh, 'db.dropDatabase()']}`.line}`

/** Of whatever restarts the api: it would not start with a database that somebody else made. */
export const databaseMakeable: Provided = {
  that: sh`kubectl exec -n ${namespace} ${pod} -- ${[...mongosh, makeable]}`,
  explain: ({ stdout }) =>
    stdout.includes(foreign)
      ? { cause: `${foreign}, which would not start with it: its volume is a new one`, remedy }
      : undefined,
}

/**
 * The api is younger than MongoDB's volume: it makes the database at its start and at no other time. One that went on
 * running over a new volume works until it starts anew, and never again after that.
 */
export function databaseMade({ env, kube }: StoatContext): Step {
  return youngerThan(kube, {
    namespace,
    deployments: [stoatServices.api.name],
    than: { claim: `data-${pod}` },
    why: "MongoDB's volume is a new one: the api makes its database, and what the one before held is lost unless it is restored",
    provided: { [stoatServices.api.name]: databaseMakeable },
    timeoutSeconds: env.ROLLOUT_TIMEOUT,
    dependsOn: ['rollout datastores', 'rollout services-api'],
  })
}

/** Whether the database is one that the api made, and of the revision that the release works with. */
export function databaseCheck({ env, kube }: Pick<StoatContext, 'env' | 'kube'>): Check {
  return check(kube, {
    id: 'services.database',
    about: 'the api has made its database, and migrated it',
    remedy: `npm run deploy -w stoat -- --tags services has it made. ${remedy}`,
    ask: { database: databaseState() },
    judge: ({ database }) => judgeDatabase(database, revisionOf(imagesOf(env).api)),
  })
}

/** `release`: the revision that the api of the environment migrates to, where that is known. */
export function judgeDatabase(database: Answered<DatabaseState>, release: number | undefined): Finding {
  if (database === 'absent') return fail('MongoDB has no pod')
  if ('unread' in database) return fail(database.unread)
  const { revision, auditLogs } = database
  if (revision === null) return fail(`${foreign}, or is not there: MongoDB's volume may be a new one`)
  if (release !== undefined && revision !== release)
    return fail(`it has revision ${revision}, and the release works with ${release}`)
  if (revision >= auditLogsSince && !auditLogs) return fail('audit_logs has no indexes: the api has to start once more')
  return ok(`revision ${revision}`)
}
