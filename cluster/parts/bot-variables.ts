import type { ClusterEnv } from '../env/env.ts'

/** What the bot finds in its environment beside its secrets; the constants are in its manifest. */
export const botVariables = (env: ClusterEnv) => ({
  DISCORD_BOT_ID: env.DISCORD_BOT_ID,
  DISCORD_GUILD_ID: env.DISCORD_GUILD_ID,
  LITELLM_BASE_URL: env.LITELLM_BASE_URL,
  AWS_REGION: env.AWS_REGION,
  AWS_ENDPOINT_URL: env.AWS_ENDPOINT_URL,
  BOT_USERNAME: env.BOT_USERNAME,
  OTHER_BOT_USERNAME: env.OTHER_BOT_USERNAME,
  STALENESS_MINUTES: env.STALENESS_MINUTES,
})
