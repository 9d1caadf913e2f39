import { createHash } from 'node:crypto'
import { readTar, tarEnd, tarHeader, tarPadding } from '@infra/shared/archive/tar'
import { askOf } from '@infra/shared/engine/ask'
import { Failure } from '@infra/shared/engine/failure'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { namespace } from '@infra/shared/platform/names'
import { Bucket } from '@infra/shared/targets/aws/s3'
import { openForward } from '../checks/port-forward.ts'
import type { StoatContext } from '../context.ts'
import { stoatSecret } from '../keys.ts'
import { fileStore } from '../manifests/revolt-toml.ts'
import { stores } from '../services.ts'
import { Tally, type Total } from './tally.ts'

/** The bucket that a drill makes and takes away. */
export const drillBucket = (bucket: string): string => `${bucket.slice(0, 57)}-drill`

/**
 * Lets some work use a bucket of Stoat's file store: MinIO by a port-forward of our own, an S3 elsewhere as it is. With the
 * keys that the cluster holds, which are those in force.
 */
export async function withBucket<T>(
  { env, kube }: Pick<StoatContext, 'env' | 'kube'>,
  bucket: string,
  work: (bucket: Bucket) => Promise<T>,
): Promise<T> {
  const store = fileStore(env)
  const { held } = await askOf(kube, { held: secretValues(namespace, stoatSecret) })
  const [keyId, key] = [held?.get('s3_access_key_id'), held?.get('s3_secret_access_key')]
  if (!keyId || !key)
    throw new Failure('error', `the Secret ${stoatSecret} does not hold the keys of the file store`, {
      remedy: 'npm run deploy -w stoat comes first.',
    })
  const { name, ports } = stores.minio
  const forward = env.STOAT_S3_ENDPOINT === undefined ? await openForward(kube, name, ports.s3) : undefined
  const endpoint = forward ? `http://127.0.0.1:${forward.port}` : store.endpoint
  const opened = new Bucket({ ...store, bucket, endpoint, keyId, key })
  try {
    return await work(opened)
  } finally {
    opened.close()
    forward?.close()
  }
}

/** What a tally counts of an object. */
const lineOf = (key: string, sha256: string) => `${sha256}  ${key}\n`

/** All objects of a bucket as a tar archive, an object after the other, counted in `tally`. */
export async function* packed(
  bucket: Bucket,
  tally: Tally,
  progress: (objects: number, bytes: number) => void,
): AsyncGenerator<Buffer> {
  const now = new Date()
  let [objects, all] = [0, 0]
  for await (const { key } of bucket.list()) {
    const object = await bucket.read(key)
    // Somebody deleted it since.
    if (object === undefined) continue
    yield tarHeader(key, object.bytes, now)
    const digest = createHash('sha256')
    for await (const chunk of object.content()) {
      digest.update(chunk)
      yield chunk
    }
    yield tarPadding(object.bytes)
    tally.add(lineOf(key, digest.digest('hex')), object.bytes)
    objects += 1
    all += object.bytes
    progress(objects, all)
  }
  yield tarEnd()
}

/** The SHA-256 of each object of a packed bucket, by name; counted in `tally`. */
export async function digestsOf(source: AsyncIterable<Buffer>, tally: Tally): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>()
  for await (const entry of readTar(source, 'the archive of files')) {
    const digest = createHash('sha256')
    for await (const chunk of entry.content()) digest.update(chunk)
    const sha256 = digest.digest('hex')
    digests.set(entry.name, sha256)
    tally.add(lineOf(entry.name, sha256), entry.bytes)
  }
  return digests
}

/** Puts a packed bucket's objects into a bucket, and takes away what else is there. */
export async function unpack(
  bucket: Bucket,
  source: AsyncIterable<Buffer>,
  digests: ReadonlyMap<string, string>,
  progress: (objects: number) => void,
): Promise<void> {
  let objects = 0
  for await (const { name, bytes, content } of readTar(source, 'the archive of files')) {
    const sha256 = digests.get(name)
    if (sha256 === undefined) throw new Failure('error', 'the archive was changed while it was read')
    await bucket.put(name, bytes, sha256, content())
    objects += 1
    progress(objects)
  }
  for await (const { key } of bucket.list()) if (!digests.has(key)) await bucket.delete(key)
}

/** What is in a bucket: every object is read. */
export async function totalOf(bucket: Bucket): Promise<Total> {
  const tally = new Tally()
  for await (const _ of packed(bucket, tally, () => {}));
  return tally.total()
}
