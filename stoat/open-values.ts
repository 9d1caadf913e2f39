import type { KubeObject } from '@infra/shared/command/kubectl'
import { reveal, type Secret } from '@infra/shared/command/secret'
import { askOf } from '@infra/shared/engine/ask'
import type { Target } from '@infra/shared/engine/target'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { metaOf } from '@infra/shared/platform/manifests'
import { namespace, redisSecret } from '@infra/shared/platform/names'
import type { OpenValue } from '@infra/shared/targets/kubernetes/open-values'
import type { StoatEnv } from './env/env.ts'
import { chooseKeys, type StoatKeys, secretContents, secretsDigest, stoatSecret } from './keys.ts'

/** Which values of the Secret each reader's pods start with: another of them, and the pods start anew. */
const readers = {
  services: ['Revolt.overrides.toml'],
  api: ['Revolt.overrides.toml', 'rabbitmq_user', 'rabbitmq_password'],
  rabbitmq: ['rabbitmq-definitions.json'],
  minio: ['minio_user', 'minio_password'],
} as const

export type Reader = keyof typeof readers

/** Stands in a manifest for a value of the Secret, in base64. */
const standInFor = (name: string) => `value-of/${stoatSecret}/${name};`

/** Stands in a pod's annotation for the digest of what its reader reads. */
export const digestOf = (reader: Reader) => `digest-of/${stoatSecret}/${reader};`

/** The Secret with stand-ins for its values: they are put in when it is compared or applied, and held nowhere else. */
export function secretObject(env: StoatEnv, keys: StoatKeys): KubeObject {
  const names = Object.keys(secretContents(env, keys))
  const data = Object.fromEntries(names.map((name) => [name, standInFor(name)]))
  return { apiVersion: 'v1', kind: 'Secret', metadata: metaOf(stoatSecret), type: 'Opaque', data }
}

/**
 * What the stand-ins stand for: the environment's keys, else those that the cluster holds, else those that this run
 * made. The cluster is asked each time, so that a key that another run has made since is never replaced.
 */
export function openValues(env: StoatEnv, made: StoatKeys, kube: () => Target): Record<string, OpenValue> {
  let looking: Promise<{ keys: StoatKeys; contents: Readonly<Record<string, Secret>> }> | undefined
  const look = async () => {
    const { held, redis } = await askOf(kube(), {
      held: secretValues(namespace, stoatSecret),
      // Asked each time as well: the workspace cluster may have given Redis another password.
      redis: secretValues(namespace, redisSecret.name),
    })
    const keys = chooseKeys(env, held, made)
    return { keys, contents: secretContents(env, keys, redis?.get(redisSecret.url)) }
  }
  // Many are asked for at once: one look serves them all.
  const now = () => {
    looking ??= look().finally(() => {
      looking = undefined
    })
    return looking
  }
  const names = Object.keys(secretContents(env, made))
  const values = names.map((name): [string, OpenValue] => [
    standInFor(name),
    {
      async find() {
        const value = (await now()).contents[name]
        return value && Buffer.from(reveal(value)).toString('base64')
      },
    },
  ])
  const digests = (Object.keys(readers) as Reader[]).map((reader): [string, OpenValue] => [
    digestOf(reader),
    {
      async find() {
        const { keys, contents } = await now()
        return secretsDigest(keys, contents, readers[reader])
      },
    },
  ])
  return Object.fromEntries([...values, ...digests])
}
