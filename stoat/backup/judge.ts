import { reveal } from '@infra/shared/command/secret'
import { Failure } from '@infra/shared/engine/failure'
import type { StoatEnv } from '../env/env.ts'
import { givenKey, type HeldSecret, keyNames } from '../keys.ts'
import { imagesOf, revisionOf, settingFor } from '../releases.ts'
import type { DatabaseState } from './database.ts'
import { type DataKey, type DataKeys, dataKeys, fingerprint, type Manifest } from './manifest.ts'

/** What is in the cluster before a restore. */
export interface Found {
  readonly database: DatabaseState
  /** How many objects the bucket holds. */
  readonly objects: number
  readonly held: HeldSecret
}

const variables: Readonly<Record<DataKey, string>> = {
  encryption: 'STOAT_ENCRYPTION_KEY',
  vapid: 'STOAT_VAPID_PRIVATE_KEY',
}

/** The public half would be refused alone. */
const pairOf = (env: StoatEnv, name: DataKey) =>
  name === 'vapid' && env.STOAT_VAPID_PUBLIC_KEY !== undefined ? ' and STOAT_VAPID_PUBLIC_KEY' : ''

const major = (version: string) => Number(version.split('.')[0])

/** Throws when this backup cannot be put back here. */
export function judgeRestore(manifest: Manifest, keys: DataKeys, found: Found, env: StoatEnv): void {
  const refuse = (reason: string, remedy: string) => {
    throw new Failure('error', `${reason}; nothing was changed`, { remedy })
  }
  if (manifest.domain !== env.STOAT_DOMAIN)
    refuse(
      `the archive is of ${manifest.domain}, this Stoat is ${env.STOAT_DOMAIN}: the name is in every address that it holds`,
      `Deploy one with STOAT_DOMAIN=${manifest.domain} for it.`,
    )
  const knows = revisionOf(imagesOf(env).api)
  if (knows !== undefined && manifest.revision !== null && manifest.revision > knows)
    refuse(
      `the archive's database is of revision ${manifest.revision}, and the api of this environment knows ${knows} at most: it cannot go back`,
      `Deploy with a release that knows it first (${settingFor(env, manifest.revision)}); ${manifest.release} made it.`,
    )
  if (major(manifest.mongodb) > major(found.database.version))
    refuse(
      `the archive is of MongoDB ${manifest.mongodb}, the cluster has ${found.database.version}`,
      `Deploy with that version first: STOAT_MONGODB_IMAGE=mongo:${manifest.mongodb.split('.').slice(0, 2).join('.')}`,
    )
  if (manifest.files.bucket !== env.STOAT_S3_BUCKET)
    refuse(
      `the archive is of bucket ${manifest.files.bucket}, whose name is in its database, and STOAT_S3_BUCKET is ${env.STOAT_S3_BUCKET}`,
      `Deploy with STOAT_S3_BUCKET=${manifest.files.bucket} first.`,
    )
  for (const name of dataKeys) {
    const given = givenKey(env, name)
    if (given && reveal(given) !== reveal(keys[name]))
      refuse(
        `${variables[name]} is another key (${fingerprint(given)}) than the archive's (${fingerprint(keys[name])}): with it nothing of the archive could be read`,
        `Take ${variables[name]}${pairOf(env, name)} out of the environment: the restore brings the archive's key along.`,
      )
  }
}

/** The keys that the cluster would get, for people: `encryption_key 0123… instead of 4567…`. */
export function keysToTake(keys: DataKeys, held: HeldSecret): readonly string[] {
  return dataKeys.flatMap((name) => {
    const now = held?.get(keyNames[name])
    if (now && reveal(now) === reveal(keys[name])) return []
    return [`${keyNames[name]} ${fingerprint(keys[name])}${now ? ` instead of ${fingerprint(now)}` : ''}`]
  })
}

/** What a restore would replace, for people; undefined where there is nothing that anybody would miss. */
export function sayReplaced({ database, objects }: Found): string | undefined {
  if (database.documents === 0 && objects === 0) return undefined
  return `${database.documents} documents and ${objects} files`
}
