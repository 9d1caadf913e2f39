import { type Check, check, type Finding, fail, ok } from '@infra/shared/engine/check'
import { type AccessKey, accessKeys } from '@infra/shared/facts/aws/iam'
import type { ClusterContext } from '../context.ts'
import { botKeyStore } from '../parts/kubernetes.ts'

/** That the key which the bot gets from the cluster is one that AWS takes. */
export function accessKeyChecks({ env, aws, folder }: ClusterContext): readonly Check[] {
  const name = env.BOT_IAM_USER
  const store = botKeyStore(env, folder)
  if (!store) return []
  return [
    check(aws, {
      id: 'namespace.access-key',
      about: `the access key in ${store.name} is an active one of user ${name}`,
      remedy: 'npm run deploy -w cluster -- --tags workloads makes one where there is none that works.',
      ask: { keys: accessKeys(aws.place, name), kept: store.kept },
      judge: ({ keys, kept }) => judgeKey(keys, kept, store.name),
    }),
  ]
}

function judgeKey(keys: readonly AccessKey[], kept: string | null, store: string): Finding {
  const active = keys.filter((key) => key.active)
  const told = `${active.length} of ${keys.length} access keys of the user ${active.length === 1 ? 'is' : 'are'} active`
  if (kept === null) return fail(`${store} holds none; ${told}`)
  const called = `…${kept.slice(-4)}`
  if (active.some(({ id }) => id === kept)) return ok(called)
  const isThere = keys.some(({ id }) => id === kept)
  return fail(`${called} is ${isThere ? 'switched off' : 'no key of the user'}: the bot cannot use AWS; ${told}`)
}
