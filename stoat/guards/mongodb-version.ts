import { sh } from '@infra/shared/command/sh'
import { converged, type Decision, noting, refuse, type Step, step } from '@infra/shared/engine/step'
import { workloadImage } from '@infra/shared/facts/kubernetes/workload-image'
import { namespace } from '@infra/shared/platform/names'
import { lastBackup } from '../backup/last.ts'
import type { StoatContext } from '../context.ts'
import { type Answered, type DatabaseState, databaseState, told } from '../database-state.ts'
import type { StoatEnv } from '../env/env.ts'
import { mongoVersion } from '../env/images.ts'
import { mongodbSettingFor, releaseOf } from '../releases.ts'
import { stores } from '../services.ts'
import { type Backups, backedUp } from './backed-up.ts'

const { name } = stores.mongodb

/** The releases of MongoDB: an upgrade goes from one to the next (https://www.mongodb.com/docs/manual/release-notes/). */
const series = ['4.0', '4.2', '4.4', '5.0', '6.0', '7.0', '8.0', '8.2'] as const

/** Data is opened by the MongoDB that wrote it or by the next one, and by one that the release of Stoat works with. */
export function mongodbFollows({ kube, env, hasBackup }: Pick<StoatContext, 'kube' | 'env' | 'hasBackup'>): Step {
  const at = Date.now()
  return step({
    id: 'version of MongoDB',
    on: kube,
    ask: {
      image: workloadImage(namespace, `statefulset/${name}`),
      database: databaseState(),
      last: lastBackup(),
    },
    plan: ({ image, database, last }) => judgeMongodb(env, image, database, { last, said: hasBackup, at }),
  })
}

/** Whether the MongoDB of the environment may follow the one that runs (`image`: of its StatefulSet; null where there is none). */
export function judgeMongodb(
  env: StoatEnv,
  image: string | null,
  database: Answered<DatabaseState>,
  backups: Backups,
): Decision {
  const wanted = env.STOAT_MONGODB_IMAGE
  const [state, version] = [told(database), mongoVersion(wanted)]
  const running = state?.server ?? (image === null ? undefined : mongoVersion(image))
  const [from, to] = [seriesOf(running), seriesOf(version)]
  const { oldestMongodb } = releaseOf(env)
  const by = (index: number) => mongodbSettingFor(env, `mongo:${series[index]}`, state)
  if (to === undefined && running !== undefined && Number.parseInt(running, 10) < oldestMongodb)
    return refuse(
      `STOAT_IMAGES=${env.STOAT_IMAGES} needs MongoDB ${oldestMongodb}, and ${running} runs: with it the api crashes from its second start on`,
      `Upgrade MongoDB first, one release after the other: ${by((from ?? -1) + 1)}. ${stepwise}`,
    )
  if (from === undefined || to === undefined)
    return noting(
      converged(version ? `MongoDB ${version}` : 'its version is not known by its image'),
      image === null || image === wanted
        ? []
        : [`whether ${wanted} opens the data of ${image} is not known. ${stepwise}`],
    )
  const data = seriesOf(state?.compatibility)
  if (to < from)
    return refuse(
      `${wanted} is older than the MongoDB that runs (${running}): it does not open its data`,
      `Set ${by(from)}, or go on to the next one. To go back all the same, restore a backup into a new volume (npm run restore -w stoat).`,
    )
  if (to > from + 1)
    return refuse(
      `${wanted} does not open the data of MongoDB ${running}: there ${to - from === 2 ? 'is a release' : 'are releases'} between them`,
      `Go one release at a time, first by ${by(from + 1)}. ${stepwise}`,
    )
  if (to === from + 1) return judgeNext(env, { from, data, image, running: running ?? '' }, state, backups)
  const late = data !== undefined && data < from
  return noting(
    converged(`MongoDB ${running}`),
    late
      ? [
          `its data has the format of ${state?.compatibility} still: when it has run well for a while, ${formatCommand(from)}`,
        ]
      : [],
  )
}

interface Next {
  readonly from: number
  readonly data: number | undefined
  readonly running: string
  readonly image: string | null
}

/** The release after the one that runs: it starts only where the data has the format of that. */
function judgeNext(
  env: StoatEnv,
  { from, data, running, image }: Next,
  state: DatabaseState | undefined,
  backups: Backups,
): Decision {
  const wanted = env.STOAT_MONGODB_IMAGE
  if (!state)
    return refuse(
      `${wanted} is the release after ${running}, and MongoDB does not tell which format its data has`,
      `Deploy with what runs until it is well (${mongodbSettingFor(env, image ?? '', state)}): npm run status -w stoat; npm run logs -w stoat -- mongodb.`,
    )
  if (data !== from)
    return refuse(
      `${wanted} does not start with data whose format (featureCompatibilityVersion) is that of ${data === undefined ? 'another release' : series[data]}; ${running} runs`,
      `Set the format first: ${formatCommand(from)}`,
    )
  return backedUp(
    backups,
    `MongoDB ${series[from]} → ${series[from + 1]}: its files are changed for good. When it has run well for a while, ${formatCommand(from + 1)}`,
  )
}

const stepwise =
  'After each, once it runs, set the format of its data (setFeatureCompatibilityVersion); the plan tells the command.'

/** From MongoDB 7 on the command has to be confirmed. */
function formatCommand(index: number): string {
  const version = series[index] ?? ''
  const confirm = Number.parseInt(version, 10) >= 7 ? ', confirm: true' : ''
  const script = `db.adminCommand({ setFeatureCompatibilityVersion: "${version}"${confirm} })`
  return sh`kubectl exec -n ${namespace} ${`${name}-0`} -- mongosh --quiet --eval ${script}`.line
}

/** The place of a version in {@link series}; of a major version alone, that of its newest release. */
function seriesOf(version: string | undefined): number | undefined {
  const [, major, minor] = /^(\d+)(?:\.(\d+))?/.exec(version ?? '') ?? []
  if (major === undefined) return undefined
  const place = Number(major) * 100 + (minor === undefined ? 99 : Number(minor))
  const found = series.findLastIndex((one) => {
    const [m = 0, n = 0] = one.split('.').map(Number)
    return m * 100 + n <= place
  })
  return found === -1 ? undefined : found
}
