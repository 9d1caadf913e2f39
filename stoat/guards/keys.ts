import { reveal, type Secret, secret } from '@infra/shared/command/secret'
import { converged, type Decision, noting, refuse, type Step, step } from '@infra/shared/engine/step'
import { vapidPublicOf } from '@infra/shared/env/vapid'
import { secretValues } from '@infra/shared/facts/kubernetes/secret-values'
import { type VolumeClaim, volumeClaims } from '@infra/shared/facts/kubernetes/volumes'
import { namespace } from '@infra/shared/platform/names'
import { refuseWeak } from '@infra/shared/steps/new-secret'
import type { StoatContext } from '../context.ts'
import type { StoatEnv } from '../env/env.ts'
import { originalPasswords } from '../env/stores.ts'
import { givenKey, type HeldSecret, keyNames, keyNamesOf, stoatSecret } from '../keys.ts'
import { stores } from '../services.ts'

/**
 * No key that is in use is replaced unseen. The encryption key never is: every file would be lost. Only ever refuses or
 * tells; what is missing is made along with the Secret.
 */
export function keysKept({ kube, env }: Pick<StoatContext, 'kube' | 'env'>): Step {
  return step({
    id: 'keys of Stoat',
    on: kube,
    ask: { held: secretValues(namespace, stoatSecret), claims: volumeClaims(namespace) },
    plan: ({ held, claims }) => judgeKeys(env, held, claims),
  })
}

/** What is to be said of the keys that the environment names and those that the cluster holds. */
export function judgeKeys(env: StoatEnv, held: HeldSecret, claims: readonly VolumeClaim[]): Decision {
  const heldKey = held?.get(keyNames.encryption)
  const given = env.STOAT_ENCRYPTION_KEY
  const damaged = refuseDamaged(env, held)
  if (damaged) return damaged
  if (given && heldKey && !same(given, heldKey) && !same(given, keyInForce(held) ?? heldKey))
    return refuse(
      `STOAT_ENCRYPTION_KEY is another key than the cluster's: with it every file that was uploaded would be lost`,
      'Unset STOAT_ENCRYPTION_KEY to keep the one that the cluster holds; npm run show-keys -w stoat shows it.',
    )
  // Where the files are in an S3 elsewhere, the database tells that there are some.
  const holders = [stores.minio.name, stores.mongodb.name]
  const files = claims.find(({ name, app }) => holders.some((holder) => app === holder || name.includes(holder)))
  if (!given && !heldKey && (held !== null || files))
    return refuse(
      `there is no encryption key, but ${files ? `a volume ${files.name}` : `a Secret ${stoatSecret} without one`}: a new key would make the files unreadable`,
      'Set STOAT_ENCRYPTION_KEY to the key that they were encrypted with. Where there are none to lose, delete that first.',
    )
  const original = (['rabbitmq', 'minio'] as const).filter((name) => isOriginal(env, name))
  const strange = original.find((name) => !inForce(env, name, held, claims))
  if (strange)
    return refuse(
      `STOAT_${strange.toUpperCase()}_PASS is the example's password, which everybody knows`,
      `Unset STOAT_${strange.toUpperCase()}_PASS: the deploy makes one. It is accepted only where it is in force already.`,
    )
  const weak = (['rabbitmq', 'minio'] as const).filter((name) => !inForce(env, name, held, claims))
  return (
    refuseWeak(weak.flatMap((name) => givenKey(env, name) ?? [])) ??
    noting(converged(held ? 'those of the cluster' : 'none yet'), notesOf(env, held, original))
  )
}

/** The encryption key in the file that autumn reads; undefined where there is no such file. */
function keyInForce(held: HeldSecret): Secret | undefined {
  const file = held?.get('Revolt.overrides.toml')
  const [, key] = (file && /^encryption_key = "([^"]+)"$/m.exec(reveal(file))) || []
  return key === undefined ? undefined : secret(key)
}

/** Somebody changed the Secret by hand, so that it does not tell any more which key is the right one. */
function refuseDamaged(env: StoatEnv, held: HeldSecret): Decision | undefined {
  const [entry, inForce] = [held?.get(keyNames.encryption), keyInForce(held)]
  if (entry && inForce && !same(entry, inForce) && !env.STOAT_ENCRYPTION_KEY)
    return refuse(
      `the Secret ${stoatSecret} holds two encryption keys: ${keyNames.encryption}, and another in its Revolt.overrides.toml, which autumn reads`,
      'Set STOAT_ENCRYPTION_KEY to the one that files were encrypted with (your copy of npm run show-keys -w stoat), and deploy.',
    )
  const vapid = held?.get(keyNames.vapid)
  if (vapid && !env.STOAT_VAPID_PRIVATE_KEY && vapidPublicOf(reveal(vapid)) === undefined)
    return refuse(
      `${keyNames.vapid} in the Secret ${stoatSecret} is not a VAPID key`,
      'Set STOAT_VAPID_PRIVATE_KEY to your copy of it, and deploy. Without a copy take a new one (npm run validate -w stoat -- --generate): every browser then has to allow push notifications anew.',
    )
  return undefined
}

function notesOf(env: StoatEnv, held: HeldSecret, weak: readonly ('rabbitmq' | 'minio')[]): string[] {
  const used = keyNamesOf.filter((name) => name !== 'minio' || env.STOAT_S3_ENDPOINT === undefined)
  const missing = used.filter((name) => !givenKey(env, name) && !held?.get(keyNames[name]))
  const [vapid, heldVapid] = [env.STOAT_VAPID_PRIVATE_KEY, held?.get(keyNames.vapid)]
  const user = held?.get('rabbitmq_user')
  const renamed = user && reveal(user) !== env.STOAT_RABBITMQ_USER ? reveal(user) : undefined
  return [
    ...(missing.length > 0
      ? [
          `made by this deploy and kept in the Secret ${stoatSecret}: ${missing.map((name) => keyNames[name]).join(', ')}; keep a copy: npm run show-keys -w stoat`,
        ]
      : []),
    ...(vapid && heldVapid && !same(vapid, heldVapid)
      ? ['another VAPID pair than the cluster’s: every browser has to allow push notifications anew']
      : []),
    ...weak.map(
      (name) =>
        `STOAT_${name.toUpperCase()}_PASS is the example's password, which everybody knows: empty it, npm run validate -w stoat -- --generate, and deploy`,
    ),
    ...(renamed
      ? [
          `the broker keeps its user ${renamed} beside ${env.STOAT_RABBITMQ_USER}: kubectl exec -n ${namespace} ${stores.rabbitmq.name}-0 -- rabbitmqctl delete_user ${renamed}`,
        ]
      : []),
  ]
}

const same = (one: Secret, other: Secret) => reveal(one) === reveal(other)

function isOriginal(env: StoatEnv, name: 'rabbitmq' | 'minio'): boolean {
  const given = givenKey(env, name)
  return given !== undefined && reveal(given) === originalPasswords[name]
}

/** Whether a store has it: by our Secret or, where somebody else made the store, as far as can be told. */
function inForce(env: StoatEnv, name: 'rabbitmq' | 'minio', held: HeldSecret, claims: readonly VolumeClaim[]): boolean {
  const [value, given] = [held?.get(keyNames[name]), givenKey(env, name)]
  if (value && given) return same(value, given)
  return claims.some((claim) => claim.app === stores[name].name || claim.name.includes(stores[name].name))
}
