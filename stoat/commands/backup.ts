import { PartWriter } from '@infra/shared/archive/parts'
import { assertAge } from '@infra/shared/cli/age'
import { encryptInto } from '@infra/shared/cli/age-streams'
import { archivePath, recipientsIn } from '@infra/shared/cli/archive-files'
import { told, withLock } from '@infra/shared/cli/locked'
import { usage } from '@infra/shared/cli/options'
import { open, type Session } from '@infra/shared/cli/session'
import { sealingKey, writeArchive } from '@infra/shared/cli/write-archive'
import { askOf } from '@infra/shared/engine/ask'
import { Failure } from '@infra/shared/engine/failure'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { workloadImage } from '@infra/shared/facts/kubernetes/workload-image'
import { assertInside } from '@infra/shared/platform/kubernetes'
import { namespace } from '@infra/shared/platform/names'
import { size } from '@infra/shared/report/amounts'
import { print } from '@infra/shared/report/print'
import { archiveOf, partNames } from '../backup/archive.ts'
import { packed, withBucket } from '../backup/bucket.ts'
import { databaseName, databaseState, dumpOf } from '../backup/database.ts'
import { DumpReader } from '../backup/dump.ts'
import {
  type DataKeys,
  dataKeys,
  dataKeysOf,
  fingerprint,
  keysText,
  type Manifest,
  manifestFormat,
} from '../backup/manifest.ts'
import { rememberBackup } from '../backup/remember.ts'
import { Tally } from '../backup/tally.ts'
import { findCanary } from '../checks/canary.ts'
import type { StoatContext } from '../context.ts'
import { stoatSecret } from '../keys.ts'
import { stoatServices } from '../services.ts'

/** `backup`: database, files and keys, encrypted here, into a file of this machine. */
export async function runBackup(session: Session): Promise<number> {
  const { workspaceOptions: own, processEnv } = session
  const context = open(session, 'access', ['STOAT_DOMAIN']).context as StoatContext
  const { env } = context
  const recipients = own.key === undefined ? recipientOf(context) : recipientsIn(String(own.key), processEnv)
  const path = archivePath(own.to as string | undefined, env.STOAT_DOMAIN, new Date(), processEnv)
  await assertAge('it encrypts the backup here')
  await assertInside(context)
  const key = sealingKey(session)
  await withLock(session, context.kube, () =>
    told(session, `backup of ${env.STOAT_DOMAIN}`, async (progress) => {
      let manifest: Manifest | undefined
      const write = async (file: number) => {
        const { sha256, made } = await writeParts(file, context, recipients, progress)
        manifest = made
        return sha256
      }
      const bytes = await writeArchive(path, { of: archiveOf(env.STOAT_DOMAIN), key, write })
      if (manifest) await rememberBackup(context, { path, bytes, manifest })
    }),
  )
  print(path)
  return 0
}

function recipientOf({ env }: StoatContext): readonly string[] {
  if (env.STOAT_BACKUP_RECIPIENT !== undefined) return [env.STOAT_BACKUP_RECIPIENT]
  throw usage(
    'nobody to encrypt the backup to: STOAT_BACKUP_RECIPIENT is not set',
    'age-keygen -o stoat.key makes a key and tells its recipient (age1…); keep it apart from the backups. Or: --key RECIPIENT',
  )
}

/** What is asked before: it goes into the manifest. */
async function look(context: StoatContext) {
  const { held, image } = await askOf(context.kube, {
    held: secretValues(namespace, stoatSecret),
    image: workloadImage(namespace, `deployment/${stoatServices.api.name}`),
  })
  const keys = dataKeysOf(held)
  if (!keys || image === null)
    throw new Failure('error', `there is no Stoat to back up: ${keys ? 'no api' : `no keys in ${stoatSecret}`}`, {
      remedy: 'npm run deploy -w stoat comes first.',
    })
  return { keys, image, state: await databaseState(context), canary: await findCanary(context) }
}

/** Writes all parts. The database comes first: a file that is uploaded meanwhile is in the archive, and its message is not. */
async function writeParts(
  file: number,
  context: StoatContext,
  recipients: readonly string[],
  progress: (line: string) => void,
): Promise<{ readonly sha256: string; readonly made: Manifest }> {
  const { keys, image, state, canary } = await look(context)
  const made = new Date().toISOString().replace(/\..*/, 'Z')
  const bucket = context.env.STOAT_S3_BUCKET
  const reader = new DumpReader()
  const files = new Tally()
  let manifest: Manifest | undefined
  const sha256 = await encryptInto(file, recipients, async (write) => {
    const parts = new PartWriter(write)
    progress('database')
    await parts.part(partNames.database, dumpOf(context, databaseName, reader))
    const database = reader.end()
    await withBucket(context, bucket, (opened) =>
      parts.part(
        partNames.files,
        packed(opened, files, (objects, bytes) => progress(`files: ${objects}, ${size(bytes)}`)),
      ),
    )
    await parts.part(partNames.keys, oneChunk(keysText(keys)))
    manifest = {
      ...{ format: manifestFormat, domain: context.env.STOAT_DOMAIN, made, release: image },
      ...{ revision: state.revision, mongodb: state.version, database },
      ...{ files: { bucket, ...files.total() }, keys: fingerprintsOf(keys), canary: canary ?? null },
    }
    await parts.end(manifest)
  })
  return { sha256, made: manifest as Manifest }
}

const fingerprintsOf = (keys: DataKeys): Manifest['keys'] => {
  const [encryption = '', vapid = ''] = dataKeys.map((name) => fingerprint(keys[name]))
  return { encryption, vapid }
}

async function* oneChunk(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}
