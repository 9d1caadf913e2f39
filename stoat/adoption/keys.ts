import { reveal, type Secret, secret } from '@infra/shared/command/secret'
import { vapidPublicOf } from '@infra/shared/env/vapid'
import { type HeldSecret, keyNames, type StoatKeys, stoatSecret } from '../keys.ts'
import { configMaps } from '../manifests/config.ts'
import type { OriginalWorkload } from './workloads.ts'

/** What a deployment takes over from the platform that was there, besides the keys also the users of the stores. */
export type Held = keyof StoatKeys | 'rabbitmqUser' | 'minioUser'

/** A value, and where it was found. */
export interface FoundValue {
  readonly value: Secret
  readonly from: string
}

interface Place {
  /** In Revolt.toml, and so in variables (`REVOLT__FILES__ENCRYPTION_KEY`): table and key. */
  readonly settings: readonly (readonly [table: string, key: string])[]
  /** Names of variables of the stores' own images, and of entries of a Secret; without regard to case, `-` and `_` are one. */
  readonly names: readonly string[]
}

const places: Readonly<Record<Held, Place>> = {
  encryption: {
    settings: [['files', 'encryption_key']],
    names: ['encryption_key', 'file_encryption_key', 'files_encryption_key', 'autumn_encryption_key'],
  },
  vapid: {
    settings: [
      ['pushd.vapid', 'private_key'],
      ['api.vapid', 'private_key'],
    ],
    names: ['vapid_private_key', 'pushd_vapid_private_key'],
  },
  rabbitmq: {
    settings: [['rabbit', 'password']],
    names: ['rabbitmq_default_pass', 'rabbitmq_password', 'rabbitmq_pass', 'rabbit_password'],
  },
  minio: {
    settings: [['files.s3', 'secret_access_key']],
    names: ['minio_root_password', 'minio_password', 'minio_pass', 's3_secret_access_key'],
  },
  rabbitmqUser: {
    settings: [['rabbit', 'username']],
    names: ['rabbitmq_default_user', 'rabbitmq_user', 'rabbitmq_username', 'rabbit_username'],
  },
  minioUser: {
    settings: [['files.s3', 'access_key_id']],
    names: ['minio_root_user', 'minio_user', 's3_access_key_id'],
  },
}

/** What the platform that was there is configured by. */
export interface Configuration {
  readonly workloads: readonly OriginalWorkload[]
  readonly held: HeldSecret
  readonly config: Readonly<Record<string, string>> | null
}

/** All values of a key that are found, each once, the one that the programs read first. */
export function findValues(what: Held, { workloads, held, config }: Configuration): readonly FoundValue[] {
  const { settings, names } = places[what]
  const variables = settings.map(([table, key]) => `REVOLT__${table.replace('.', '__')}__${key}`.toUpperCase())
  const isNamed = (name: string) => names.includes(bare(name))
  const inPods = workloads.flatMap(({ name, pod }) =>
    pod.containers.flatMap(({ env = [] }) =>
      env
        .filter((variable) => variables.includes(variable.name) || isNamed(variable.name))
        .flatMap(({ name: variable, value, valueFrom }): FoundValue[] => {
          const { name: from, key = '' } = valueFrom?.secretKeyRef ?? {}
          const read = value === undefined ? from === stoatSecret && held?.get(key) : secret(value)
          return read ? [{ value: read, from: `variable ${variable} of ${name}` }] : []
        }),
    ),
  )
  const files = [
    ...Object.entries(config ?? {}).map(([name, text]) => ({
      text,
      from: `${name} of config map ${configMaps.services}`,
    })),
    ...[...(held ?? [])].map(([name, value]) => ({ text: reveal(value), from: `${name} of secret ${stoatSecret}` })),
  ].filter(({ from }) => /^\S+\.toml /.test(from))
  const inFiles = files.flatMap(({ text, from }) =>
    settings.flatMap(([table, key]): FoundValue[] => {
      const value = settingOf(text, table, key)
      return value === undefined ? [] : [{ value: secret(value), from }]
    }),
  )
  const inSecret = [...(held ?? [])]
    .filter(([name]) => isNamed(name))
    .map(([name, value]): FoundValue => ({ value, from: `${name} of secret ${stoatSecret}` }))
  const all = [...inPods, ...inFiles, ...inSecret].filter(({ value }) => reveal(value).trim() !== '')
  return all.filter(({ value }, index) => all.findIndex((one) => reveal(one.value) === reveal(value)) === index)
}

// `STOAT_MINIO_PASS` is `minio_pass`, and so is `minio-pass`.
const bare = (name: string) =>
  name
    .toLowerCase()
    .replaceAll('-', '_')
    .replace(/^stoat_/, '')

/** A value of a table of TOML that is written as `key = "value"`, as all of Stoat's keys are. */
function settingOf(text: string, table: string, key: string): string | undefined {
  let inside = false
  for (const line of text.split('\n').map((one) => one.trim())) {
    const [, header] = line.match(/^\[\s*([\w.-]+)\s*\]/) ?? []
    if (header !== undefined) inside = header === table
    else if (inside && line.replace(/\s*=.*$/, '') === key) {
      const [, double, single] = line.match(/=\s*(?:("(?:[^"\\]|\\.)*")|'([^']*)')/) ?? []
      return double === undefined ? single : unescaped(double)
    }
  }
  return undefined
}

function unescaped(text: string): string | undefined {
  try {
    return JSON.parse(text) as string
  } catch {
    return undefined
  }
}

/** Whether files can be encrypted with it: 32 bytes in base64, with padding. */
export function isEncryptionKey(value: Secret): boolean {
  const text = reveal(value)
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === 32 && bytes.toString('base64') === text
}

/** The VAPID key without the padding that pushd does not take; undefined for what is none. */
export function vapidOf(value: Secret): Secret | undefined {
  const text = reveal(value).replace(/=+$/, '')
  return vapidPublicOf(text) === undefined ? undefined : secret(text)
}

/** What goes into the Secret under the names of this project, and is not there yet. */
export function keysToKeep(
  configuration: Configuration,
  given: Secret | undefined,
): Readonly<Record<string, FoundValue>> {
  const { held } = configuration
  const encryption = findValues('encryption', configuration).filter(({ value }) => isEncryptionKey(value))
  const right = given ? encryption.find(({ value }) => reveal(value) === reveal(given)) : encryption[0]
  const vapid = findValues('vapid', configuration).flatMap(({ value, from }) => {
    const key = vapidOf(value)
    return key ? [{ value: key, from }] : []
  })[0]
  const found = {
    encryption: right,
    vapid,
    rabbitmq: findValues('rabbitmq', configuration)[0],
    minio: findValues('minio', configuration)[0],
  }
  return Object.fromEntries(
    (Object.keys(keyNames) as (keyof StoatKeys)[]).flatMap((name): [string, FoundValue][] => {
      const [value, now] = [found[name], held?.get(keyNames[name])]
      const isThere = value !== undefined && now !== undefined && reveal(now) === reveal(value.value)
      return value === undefined || isThere ? [] : [[keyNames[name], value]]
    }),
  )
}
