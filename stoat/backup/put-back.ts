import { fieldManager } from '@infra/shared/command/kubectl'
import { derive } from '@infra/shared/command/secret'
import { sh, withStdin } from '@infra/shared/command/sh'
import { askOf } from '@infra/shared/engine/ask'
import { Failure } from '@infra/shared/engine/failure'
import { ownObjects } from '@infra/shared/facts/kubernetes/objects'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { namespace, redisSecret } from '@infra/shared/platform/names'
import { keepCanary } from '../checks/canary.ts'
import type { StoatContext } from '../context.ts'
import { chooseKeys, keyNames, secretContents, stoatSecret } from '../keys.ts'
import { stoatServices } from '../services.ts'
import { differing, type OpenedArchive, partNames, sendArchive } from './archive.ts'
import { totalOf, unpack, withBucket } from './bucket.ts'
import { collectionsOf, databaseName, dropDatabase, loadDump } from './database.ts'
import type { DataKeys } from './manifest.ts'
import { sameTotal } from './tally.ts'

/** Where a backup is put: into Stoat's own database and bucket, or into those of a drill. */
export interface Place {
  readonly database: string
  readonly bucket: string
}

/** What was compared with the manifest, a line each. */
export type Compared = readonly string[]

/** Puts database and files of an archive into a place, in the place of what is there. */
export async function putBack(
  context: StoatContext,
  opened: OpenedArchive,
  { database, bucket }: Place,
  progress: (line: string) => void,
): Promise<void> {
  await sendArchive(opened, async ({ name, content }) => {
    if (name === partNames.database) {
      progress('database')
      await dropDatabase(context, database)
      await loadDump(context, database, content())
    } else if (name === partNames.files) {
      await withBucket(context, bucket, async (into) => {
        if (!(await into.exists())) await into.create()
        const all = opened.manifest.files.count
        await unpack(into, content(), opened.digests, (objects) => progress(`files: ${objects} of ${all}`))
      })
    }
  })
}

/** Compares all of what is in a place with what the manifest says. Throws where they differ. */
export async function compare(
  context: StoatContext,
  { manifest }: OpenedArchive,
  { database, bucket }: Place,
  progress: (line: string) => void,
): Promise<Compared> {
  progress('comparing the database')
  const wrong = differing(manifest.database, await collectionsOf(context, database))
  if (wrong.length > 0) throw differs(`database ${database}`, wrong)
  progress('comparing the files')
  const files = await withBucket(context, bucket, totalOf)
  if (!sameTotal(manifest.files, files))
    throw differs(`bucket ${bucket}`, [`${files.count} files instead of ${manifest.files.count}, or other contents`])
  const collections = Object.values(manifest.database)
  const documents = collections.reduce((sum, { count }) => sum + count, 0)
  return [
    `database: ${documents} documents in ${collections.length} collections, counts, digests and indexes as in the manifest`,
    `files: ${files.count} of ${files.bytes} bytes, counts and digests as in the manifest`,
  ]
}

const differs = (what: string, detail: readonly string[]): Failure =>
  new Failure('error', `what was restored into ${what} is not what the manifest of the archive says`, {
    detail: detail.slice(0, 20),
    remedy: 'npm run logs -w stoat -- mongodb (or minio) may tell why; the archive itself was found whole.',
  })

/** All that writes to database or bucket. */
const writers = Object.values(stoatServices)
  .filter(({ stores }) => stores.length > 0)
  .map(({ name }) => name)

/** Stops what writes, and waits until it is gone. */
export async function stopWriters({ kube, env }: StoatContext): Promise<void> {
  const { own } = await askOf(kube, { own: ownObjects('stoat') })
  const there = writers.filter((name) => own.some((one) => one.kind === 'Deployment' && one.name === name))
  if (there.length === 0) return
  const names = there.map((name) => `deployment/${name}`)
  const stop = sh`kubectl scale ${names} -n ${namespace} --replicas=0`
  const selector = `app in (${there.join(', ')})`
  const gone = sh`kubectl wait --for=delete pod -l ${selector} -n ${namespace} --timeout=${`${env.ROLLOUT_TIMEOUT}s`}`
  // Where none is left to wait for, kubectl fails.
  const wait = sh`if [ -n "$(kubectl get pods -l ${selector} -n ${namespace} -o name)" ]; then ${gone}; fi`
  const outputs = await kube.run([stop, wait], () => {})
  const failed = outputs.find(({ code }) => code !== 0)
  if (failed)
    throw new Failure('error', 'the programs of Stoat did not stop', {
      detail: failed.stderr.trim().split('\n').slice(-3),
      remedy: 'npm run status -w stoat shows which; then run the restore again.',
    })
}

/** What of the Secret the keys of an archive are in. */
const keyHolders: readonly string[] = ['Revolt.overrides.toml', keyNames.encryption, keyNames.vapid]

/**
 * Has the cluster hold the keys of an archive from now on. What else is in the Secret stays: the stores have the passwords
 * of there until they start anew, whatever the environment says by now.
 */
export async function takeKeys({ kube, env, made }: StoatContext, keys: DataKeys): Promise<void> {
  const { held, redis } = await askOf(kube, {
    held: secretValues(namespace, stoatSecret),
    redis: secretValues(namespace, redisSecret.name),
  })
  const all = { ...chooseKeys(env, held, made), ...keys }
  const contents = Object.entries(secretContents(env, all, redis?.get(redisSecret.url))).filter(([name]) =>
    keyHolders.includes(name),
  )
  const patch = derive((open) => {
    const data = contents.map(([name, value]) => [name, Buffer.from(open(value)).toString('base64')])
    return JSON.stringify({ data: Object.fromEntries(data) })
  })
  // Our own end of its stdin is a socket, which cannot be opened by that name.
  const as = `--field-manager=${fieldManager}`
  const command = sh`cat | kubectl patch secret ${stoatSecret} -n ${namespace} ${as} --type=merge --patch-file=/dev/stdin`
  const [output] = await kube.run([withStdin(command, { parts: [patch] })], () => {})
  if (output?.code !== 0)
    throw new Failure('error', `the cluster did not take the keys into ${stoatSecret}`, {
      detail: (output?.stderr ?? '').trim().split('\n').slice(-3),
    })
}

/** Has `verify` read the file that it read when the backup was made. */
export async function takeCanary(context: StoatContext, { manifest }: OpenedArchive): Promise<void> {
  if (manifest.canary) await keepCanary(context, manifest.canary)
}

/** Where the backup of Stoat itself goes. */
export const ownPlace = ({ env }: Pick<StoatContext, 'env'>): Place => ({
  database: databaseName,
  bucket: env.STOAT_S3_BUCKET,
})
