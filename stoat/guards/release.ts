import { converged, type Decision, noting, refuse, type Step, step } from '@infra/shared/engine/step'
import { type VolumeClaim, volumeClaims } from '@infra/shared/facts/kubernetes/volumes'
import { workloadImage } from '@infra/shared/facts/kubernetes/workload-image'
import { namespace } from '@infra/shared/platform/names'
import { lastBackup } from '../backup/last.ts'
import type { StoatContext } from '../context.ts'
import { type Answered, type DatabaseState, databaseState, told } from '../database-state.ts'
import type { StoatEnv } from '../env/env.ts'
import { imagesOf, knownDefects, migrationsBetween, revisionOf, settingFor } from '../releases.ts'
import { stoatServices, stores } from '../services.ts'
import { type Backups, backedUp } from './backed-up.ts'

type Context = Pick<StoatContext, 'kube' | 'env' | 'hasBackup'>

/** What is known of what runs. */
export interface Running {
  /** The image of the api's Deployment; null where there is none. */
  readonly image: string | null
  readonly database: Answered<DatabaseState>
  readonly claims: readonly VolumeClaim[]
}

const questions = () => ({
  image: workloadImage(namespace, `deployment/${stoatServices.api.name}`),
  database: databaseState(),
  claims: volumeClaims(namespace),
  backup: lastBackup(),
})

/**
 * The api can go on with the database, and where it migrates that, there is a backup. Tells what is to be known of the
 * release. The same for a MongoDB of another maker.
 */
export function releaseFits({ kube, env, hasBackup }: Context): Step {
  const at = Date.now()
  return step({
    id: 'release of Stoat',
    on: kube,
    ask: questions(),
    plan: (running) => {
      const decision = judgeRelease(env, running, { last: running.backup, said: hasBackup === true, at })
      return decision.kind === 'converged'
        ? noting(decision, [...(decision.notes ?? []), ...knownDefects(env)])
        : decision
    },
  })
}

/** The same once MongoDB runs: of a volume that is left of an earlier deployment nobody knows the revision before. */
export function databaseFits({ kube, env, hasBackup }: Context): Step {
  const at = Date.now()
  return step({
    id: 'release of the database',
    on: kube,
    dependsOn: ['rollout datastores'],
    ask: questions(),
    plan: (running) => {
      const decision = judgeRelease(env, running, { last: running.backup, said: hasBackup === true, at })
      return decision.kind === 'converged' ? converged(decision.because) : decision
    },
  })
}

/** Whether the api that the environment names may be started over what runs. */
export function judgeRelease(env: StoatEnv, running: Running, backups: Backups): Decision {
  const wanted = imagesOf(env).api
  const [to, state] = [revisionOf(wanted), told(running.database)]
  if (!state) return judgeUnread(env, running)
  const { revision } = state
  if (revision === null) return converged('no database yet')
  if (to === undefined) {
    if (running.image === wanted) return converged(`revision ${revision}`)
    const may = `${wanted} may migrate the database (revision ${revision}), for good: what it does is not known here`
    return backedUp(backups, may)
  }
  if (revision > to)
    return refuse(
      `the database is of revision ${revision}, and ${nameOf(env, wanted)} knows revision ${to} at most: a database cannot go back`,
      `Set ${settingFor(env, revision)}, the release that it was migrated by. To go back all the same, restore a backup that was made before that (npm run restore -w stoat).`,
    )
  if (revision === to) return converged(`revision ${revision}`)
  const what = migrationsBetween(revision, to).join('; ')
  return backedUp(
    backups,
    `${nameOf(env, wanted)} migrates the database from revision ${revision} to ${to}, for good${what && `: ${what}`}`,
  )
}

/** MongoDB tells nothing: then what runs has to tell that there is nothing to migrate. */
function judgeUnread(env: StoatEnv, { image, database, claims }: Running): Decision {
  const wanted = imagesOf(env).api
  const [from, to] = [image === null ? undefined : revisionOf(image), revisionOf(wanted)]
  if (image === wanted || (from !== undefined && from === to)) return converged(env.STOAT_IMAGES)
  if (from !== undefined && to !== undefined && to < from)
    return refuse(
      `${nameOf(env, wanted)} is older than what runs (${image}), which has migrated the database: that cannot go back`,
      `Set ${settingFor(env, from)}, which is what runs. To go back all the same, restore a backup that was made before the upgrade (npm run restore -w stoat).`,
    )
  if (image === null) {
    const volume = claims.find(({ name }) => name === `data-${stores.mongodb.name}-0`)
    return converged(volume ? 'asked again when MongoDB runs' : 'no database yet')
  }
  const why = database === 'absent' ? 'it has no pod' : (database as { unread: string }).unread
  return refuse(
    `${wanted} may migrate the database, and MongoDB does not tell its revision: ${why}`,
    `Keep what runs now until it does: ${from === undefined ? `STOAT_API_IMAGE=${image}` : settingFor(env, from)}. Then go on to another release. npm run status -w stoat and npm run logs -w stoat -- mongodb show why.`,
  )
}

const nameOf = (env: StoatEnv, image: string): string =>
  env.STOAT_API_IMAGE === undefined ? `STOAT_IMAGES=${env.STOAT_IMAGES}` : `STOAT_API_IMAGE=${image}`
