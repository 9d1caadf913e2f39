import { isSecret, type Secret } from '@infra/shared/command/secret'
import { metaOf } from '@infra/shared/env/variable'
import type { ClusterEnv } from '../env/env.ts'
import { botGroup, workloadVariables } from '../env/workloads.ts'
import { redisUrl } from '../manifests/redis.ts'

type Values = Readonly<Record<string, string | number | boolean | undefined>>

// Every variable that `cluster/env/workloads.ts` declares by `bot(…)` reaches the bot: this is the only list of them.
export const declaredVariables = (Object.keys(workloadVariables) as (keyof typeof workloadVariables)[]).filter(
  (name) => metaOf(workloadVariables[name], name).group === botGroup,
)

/** What the bot finds in its environment beside its secrets; the constants are in its manifest. */
export const botVariables = (env: ClusterEnv): Values => ({
  ...Object.fromEntries(declaredVariables.flatMap((name) => (isSecret(env[name]) ? [] : [[name, env[name]]]))),
  AWS_REGION: env.AWS_REGION,
  AWS_ENDPOINT_URL: env.AWS_ENDPOINT_URL,
})

/** What the application's Secret holds, as far as it is known here: not the key that is made for the bot. */
export function botSecrets(env: ClusterEnv): Record<string, Secret> {
  const { BOT_AWS_ACCESS_KEY_ID: id, BOT_AWS_SECRET_ACCESS_KEY: half, REDIS_PASSWORD } = env
  return {
    ...Object.fromEntries(
      declaredVariables.flatMap((name): [string, Secret][] => {
        const value = env[name]
        return isSecret(value) ? [[name, value]] : []
      }),
    ),
    ...(REDIS_PASSWORD && { REDIS_PASSWORD, REDIS_URL: redisUrl(REDIS_PASSWORD) }),
    ...(id && half && { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: half }),
  }
}
