import { createHash } from 'node:crypto'
import { damaged } from '@infra/shared/archive/head'
import { manifestName } from '@infra/shared/archive/parts'
import { reveal, type Secret, secret } from '@infra/shared/command/secret'
import type { Canary } from '../checks/canary.ts'
import { type HeldSecret, keyNames } from '../keys.ts'
import type { Collections } from './dump.ts'
import type { Total } from './tally.ts'

/** The keys that data depends on: without the first no file can be read, without the other no browser be notified. */
export const dataKeys = ['encryption', 'vapid'] as const
export type DataKey = (typeof dataKeys)[number]
export type DataKeys = Readonly<Record<DataKey, Secret>>

/** What a backup says of itself. */
export interface Manifest {
  readonly format: 1
  readonly domain: string
  /** ISO 8601 in UTC. */
  readonly made: string
  /** The image of the api that ran. */
  readonly release: string
  /** How far the api had migrated the database. */
  readonly revision: number | null
  readonly mongodb: string
  readonly database: Collections
  readonly files: Total & { readonly bucket: string }
  /** The {@link fingerprint} of each key. */
  readonly keys: Readonly<Record<DataKey, string>>
  /** The file by which `verify` sees that key, bucket and database are those of then. */
  readonly canary: Canary | null
}

/** The format that this version writes and reads. */
export const manifestFormat = 1

/** Tells one key from another, and nothing of it: the keys are of 32 random bytes or more. */
export const fingerprint = (key: Secret): string =>
  createHash('sha256')
    .update(`the name of this key\0${reveal(key)}`)
    .digest('hex')
    .slice(0, 16)

/** The keys that data depends on, of the cluster's Secret; undefined where it lacks one. */
export function dataKeysOf(held: HeldSecret): DataKeys | undefined {
  const [encryption, vapid] = dataKeys.map((name) => held?.get(keyNames[name]))
  return encryption && vapid ? { encryption, vapid } : undefined
}

/** The keys as they lie in an archive: under the names of the Secret. */
export const keysText = (keys: DataKeys): string =>
  JSON.stringify(Object.fromEntries(dataKeys.map((name) => [keyNames[name], reveal(keys[name])])))

/** Reads them. Throws for a text that holds none; it is never quoted. */
export function readKeys(text: string, path: string): DataKeys {
  const read = (): Readonly<Record<string, unknown>> => {
    try {
      return JSON.parse(text)
    } catch {
      return {}
    }
  }
  const found = read()
  const of = (name: DataKey): Secret => {
    const value = found[keyNames[name]]
    if (typeof value !== 'string' || value === '') throw damaged(path, 'it does not hold the keys')
    return secret(value)
  }
  return { encryption: of('encryption'), vapid: of('vapid') }
}

/** Reads what a backup says of itself. Throws for one of a format that is not known here. */
export function readManifest(text: string, path: string): Manifest {
  try {
    const manifest = JSON.parse(text) as Manifest
    if (manifest.format === manifestFormat && manifest.database && manifest.files && manifest.keys) return manifest
    throw damaged(path, `its ${manifestName} is of format ${manifest.format}, which is not known here`)
  } catch (error) {
    throw error instanceof SyntaxError ? damaged(path, `its ${manifestName} cannot be read`) : error
  }
}
