import type { PodState } from '@infra/shared/facts/kubernetes/pods'
import type { VolumeRoom } from '@infra/shared/facts/kubernetes/volume-room'
import type { VolumeClaim } from '@infra/shared/facts/kubernetes/volumes'
import { size } from '@infra/shared/report/amounts'
import type { Rows } from '@infra/shared/report/table'
import type { Answered, DatabaseSizes, DatabaseState } from '../database-state.ts'
import type { StoatEnv } from '../env/env.ts'
import { imagesOf, revisionOf } from '../releases.ts'
import { caddyService, stoatServices, stores, webService } from '../services.ts'

/** The images that the environment asks for, by app. */
function wantedImages(env: StoatEnv): Map<string, string> {
  const own = imagesOf(env)
  const programs = Object.entries(stoatServices).map(
    ([key, { name }]) => [name, own[key as keyof typeof stoatServices]] as const,
  )
  return new Map([
    [stores.mongodb.name, env.STOAT_MONGODB_IMAGE],
    [stores.rabbitmq.name, env.STOAT_RABBITMQ_IMAGE],
    ...(env.STOAT_S3_ENDPOINT === undefined ? [[stores.minio.name, env.STOAT_MINIO_IMAGE] as const] : []),
    ...programs,
    [webService.name, own.web],
    [caddyService.name, env.STOAT_CADDY_IMAGE],
  ])
}

/** Each program and store: the image that the environment asks for, and those that its pods run, with their digests. */
export function versionRows(env: StoatEnv, pods: readonly PodState[]): Rows {
  const wanted = wantedImages(env)
  const others = pods.map(({ app }) => app).filter((app) => !wanted.has(app))
  const rows = [...wanted.keys(), ...new Set(others)].flatMap((app) => {
    const found = pods.filter((pod) => pod.app === app)
    const [asked = '', digest = ''] = [list(found, 'askedImages'), list(found, 'images').replace(/[^ ]*@/g, '')]
    const same = asked === wanted.get(app)
    return [[app, wanted.get(app) ?? '', same ? 'the same' : asked, digest]]
  })
  return [['NAME', 'WANTED', 'RUNNING', 'DIGEST'], ...rows]
}

const list = (pods: readonly PodState[], of: 'askedImages' | 'images'): string =>
  [...new Set(pods.flatMap((pod) => pod[of].slice(0, 1)))].join(' ')

/** The database and its server; a dash for what is not told. */
export function databaseRows(env: StoatEnv, state: Answered<DatabaseState>, sizes: Answered<DatabaseSizes>): Rows {
  const heads = ['REVISION', 'OF RELEASE', 'MONGODB', 'FORMAT', 'SIZE', 'FILES', 'FILES SIZE']
  const release = String(revisionOf(imagesOf(env).api) ?? 'unknown')
  if (state === 'absent') return [heads, ['no MongoDB', release, '', '', '', '', '']]
  if ('unread' in state) return [heads, [`not read: ${state.unread}`, release, '', '', '', '', '']]
  const { revision, server, compatibility } = state
  const known = sizes === 'absent' || 'unread' in sizes ? undefined : sizes
  const amounts = known ? [size(known.database), String(known.files.count), size(known.files.bytes)] : ['', '', '']
  return [heads, [revision === null ? 'no database' : String(revision), release, server, compatibility, ...amounts]]
}

/** Volumes: what was asked for, and what is used and left as kubelet measures it. */
export function volumeRows(
  claims: readonly VolumeClaim[],
  room: ReadonlyMap<string, VolumeRoom> | { readonly untried: string },
): Rows {
  const measured = 'untried' in room ? undefined : room
  return [
    ['NAME', 'ASKED', 'USED', 'LEFT'],
    ...claims.map(({ name, size: asked }) => {
      const found = measured?.get(name)
      return [name, asked, ...(found ? [size(found.capacity - found.available), size(found.available)] : ['', ''])]
    }),
  ]
}
