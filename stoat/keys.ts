import { createHash, createHmac } from 'node:crypto'
import { derive, reveal, type Secret, secret } from '@infra/shared/command/secret'
import { key32, password } from '@infra/shared/env/random'
import { newVapidPrivate, vapidPublicOf } from '@infra/shared/env/vapid'
import type { StoatEnv } from './env/env.ts'
import { brokerDefinitions, overridesToml } from './manifests/revolt-toml.ts'

/** What Stoat's programs prove themselves by. */
export interface StoatKeys {
  /** Encrypts uploaded files. */
  readonly encryption: Secret
  /** The private half of the VAPID pair; the public one follows from it. */
  readonly vapid: Secret
  readonly rabbitmq: Secret
  readonly minio: Secret
}

/** The Secret of them all. */
export const stoatSecret = 'stoat-secrets'

/** Under which names the Secret holds them. */
export const keyNames: Readonly<Record<keyof StoatKeys, string>> = {
  encryption: 'encryption_key',
  vapid: 'vapid_private_key',
  rabbitmq: 'rabbitmq_password',
  minio: 'minio_password',
}

/** The keys that the cluster holds, as far as it does; null where there is no such Secret. */
export type HeldSecret = ReadonlyMap<string, Secret> | null

export const keyNamesOf = Object.keys(keyNames) as readonly (keyof StoatKeys)[]

/** The key that the environment names. */
export function givenKey(env: StoatEnv, name: keyof StoatKeys): Secret | undefined {
  switch (name) {
    case 'encryption':
      return env.STOAT_ENCRYPTION_KEY
    case 'vapid':
      return env.STOAT_VAPID_PRIVATE_KEY
    case 'rabbitmq':
      return env.STOAT_RABBITMQ_PASS
    case 'minio':
      return env.STOAT_MINIO_PASS
  }
}

/** New keys. Made once for a run, so that what it plans and what it applies are the same. */
export const newKeys = (): StoatKeys => ({
  encryption: secret(key32()),
  vapid: secret(newVapidPrivate()),
  rabbitmq: secret(password()),
  minio: secret(password()),
})

/** The key that the cluster holds; undefined also for a VAPID key that is none, which nothing can be derived from. */
function heldKey(held: HeldSecret, name: keyof StoatKeys): Secret | undefined {
  const value = held?.get(keyNames[name])
  return value && name === 'vapid' && vapidPublicOf(reveal(value)) === undefined ? undefined : value
}

/** Of each key the one of the environment, else the cluster's, else a new one. */
export function chooseKeys(env: StoatEnv, held: HeldSecret, made: StoatKeys): StoatKeys {
  const choose = (name: keyof StoatKeys) => givenKey(env, name) ?? heldKey(held, name) ?? made[name]
  return {
    encryption: choose('encryption'),
    vapid: choose('vapid'),
    rabbitmq: choose('rabbitmq'),
    minio: choose('minio'),
  }
}

/** What the Secret holds, by the names of its keys. `redis`: the URL that the cluster tells of its Redis. */
export function secretContents(env: StoatEnv, keys: StoatKeys, redis?: Secret): Record<string, Secret> {
  const overrides = overridesToml(env, keys, redis)
  return {
    'Revolt.overrides.toml': derive((open) =>
      overrides.parts.map((part) => (typeof part === 'string' ? part : open(part))).join(''),
    ),
    [keyNames.encryption]: keys.encryption,
    [keyNames.vapid]: keys.vapid,
    rabbitmq_user: secret(env.STOAT_RABBITMQ_USER),
    [keyNames.rabbitmq]: keys.rabbitmq,
    'rabbitmq-definitions.json': brokerDefinitions(env.STOAT_RABBITMQ_USER, brokerHash(keys.rabbitmq)),
    s3_access_key_id: env.STOAT_S3_ACCESS_KEY_ID ?? secret(env.STOAT_MINIO_USER),
    s3_secret_access_key: env.STOAT_S3_SECRET_ACCESS_KEY ?? keys.minio,
    ...(env.STOAT_S3_ENDPOINT === undefined && {
      minio_user: secret(env.STOAT_MINIO_USER),
      [keyNames.minio]: keys.minio,
    }),
  }
}

/**
 * The hash of a password as RabbitMQ keeps it: salt, then SHA-256 of salt and password, in base64. The salt follows from
 * the password, so that an unchanged one has an unchanged hash.
 */
function brokerHash(value: Secret): Secret {
  return derive((open) => {
    const salt = createHash('sha256')
      .update(`salt\0${open(value)}`)
      .digest()
      .subarray(0, 4)
    const hash = createHash('sha256').update(salt).update(open(value)).digest()
    return Buffer.concat([salt, hash]).toString('base64')
  })
}

/**
 * Tells that one of these values changed, and nothing of what it is: keyed by the encryption key, which cannot be
 * guessed.
 */
export function secretsDigest(
  keys: StoatKeys,
  contents: Readonly<Record<string, Secret>>,
  names: readonly string[],
): string {
  const digest = createHmac('sha256', reveal(keys.encryption))
  for (const name of names) {
    const value = contents[name]
    digest.update(`${name}\0${value ? reveal(value) : ''}\0`)
  }
  return digest.digest('hex').slice(0, 16)
}
