import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findIdentity } from '@infra/shared/cli/age'
import { told, withLock } from '@infra/shared/cli/locked'
import { usage } from '@infra/shared/cli/options'
import { fromHere } from '@infra/shared/cli/paths'
import { open, type Session } from '@infra/shared/cli/session'
import { askOf } from '@infra/shared/engine/ask'
import { Failure } from '@infra/shared/engine/failure'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { volumeRoom } from '@infra/shared/facts/kubernetes/volume-room'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { size } from '@infra/shared/report/amounts'
import { type OpenedArchive, openArchive } from '../backup/archive.ts'
import { drillBucket, withBucket } from '../backup/bucket.ts'
import { dropDatabase } from '../backup/database.ts'
import { keysToTake } from '../backup/judge.ts'
import { lastBackup } from '../backup/last.ts'
import { compare, type Place, putBack } from '../backup/put-back.ts'
import { placeOf } from '../backup/remember.ts'
import type { StoatContext } from '../context.ts'
import { stoatSecret } from '../keys.ts'
import { stores } from '../services.ts'

/** `drill [FILE]`: restores a backup beside what runs, compares all of it, and takes it away again. */
export async function runDrill(session: Session): Promise<number> {
  const { args, processEnv, emit } = session
  const context = open(session, 'access', ['STOAT_DOMAIN']).context as StoatContext
  const { env } = context
  const identity = await findIdentity(session, env.STOAT_BACKUP_IDENTITY_FILE, '~/.config/age/stoat.key')
  const path = args[0] === undefined ? await newest(context) : fromHere(args[0], processEnv)
  const opened = await openArchive(session, { path, domain: env.STOAT_DOMAIN, identity })
  await assertInside(context)
  const place = { database: 'stoat_drill', bucket: drillBucket(env.STOAT_S3_BUCKET) }
  const compared = await withLock(session, context.kube, () => inPlace(session, context, opened, place))
  for (const text of [`${path}, made ${opened.manifest.made}`, ...compared])
    emit({ type: 'message', level: 'info', text })
  return 0
}

/** The newest backup that the cluster knows of, where it lies on this machine. */
async function newest(context: StoatContext): Promise<string> {
  await assertInside(context)
  const { last } = await askOf(context.kube, { last: lastBackup() })
  if (last === null) throw usage('no backup was taken yet', 'npm run backup -w stoat takes one.')
  const path = join(last.place.replace(/^[^:]*:/, ''), last.name)
  if (placeOf(path) !== last.place || !existsSync(path))
    throw usage(`the newest backup is not on this machine: ${last.place}/${last.name}`, 'drill -- FILE names its copy.')
  return path
}

async function inPlace(
  session: Session,
  context: StoatContext,
  opened: OpenedArchive,
  place: Place,
): Promise<readonly string[]> {
  await assertRoom(session, context, opened)
  // What a drill that was killed has left goes first, and what this one makes goes whatever happens.
  const remove = () => told(session, 'removing what the drill made', () => removePlace(context, place))
  session.signals.hold()
  await remove()
  try {
    const part = <T>(say: string, work: Parameters<typeof told<T>>[2]): Promise<T> => {
      if (session.signals.stopping())
        throw new Failure('interrupted', 'stopped as requested; what the drill made is removed')
      return told(session, say, work)
    }
    await part(`restoring into database ${place.database} and bucket ${place.bucket}`, (progress) =>
      putBack(context, opened, place, progress),
    )
    const compared = await part('comparing', (progress) => compare(context, opened, place, progress))
    return [...compared, await sayKeys(context, opened)]
  } finally {
    await remove()
  }
}

async function removePlace(context: StoatContext, { database, bucket }: Place): Promise<void> {
  await dropDatabase(context, database)
  await withBucket(context, bucket, async (opened) => {
    if (await opened.exists()) await opened.remove()
  })
}

async function sayKeys({ kube }: StoatContext, { keys }: OpenedArchive): Promise<string> {
  const { held } = await askOf(kube, { held: secretValues(namespace, stoatSecret) })
  const others = keysToTake(keys, held)
  return others.length === 0
    ? 'keys: those that the cluster holds'
    : `keys: others than the cluster's: ${others.join(', ')}`
}

/** A drill must not fill the volumes of what runs. */
async function assertRoom({ emit }: Session, { kube, env }: StoatContext, { manifest }: OpenedArchive): Promise<void> {
  const { room } = await askOf(kube, { room: volumeRoom(namespace) })
  if ('untried' in room)
    return emit({ type: 'message', level: 'warn', text: `the room on the volumes was not measured: ${room.untried}` })
  const documents = Object.values(manifest.database).reduce((sum, { bytes }) => sum + bytes, 0)
  const needs: [name: string, bytes: number][] = [[stores.mongodb.name, documents]]
  if (env.STOAT_S3_ENDPOINT === undefined) needs.push([stores.minio.name, manifest.files.bytes])
  for (const [name, bytes] of needs) {
    const volume = room.get(`data-${name}-0`)
    // And half as much again, for indexes and for what is written meanwhile.
    if (volume && volume.available < bytes * 1.5 + 64 * 1024 ** 2)
      throw new Failure(
        'error',
        `volume data-${name}-0 has ${size(volume.available)} left, too little for a copy of ${size(bytes)} beside what runs; nothing was changed`,
        { remedy: 'Drill in another cluster, or have the volume grow (npm run verify -w stoat tells how).' },
      )
  }
}
