/** What every environment of the cluster has to have; its secrets are nobody's. */
export const clusterSettings = {
  AWS_REGION: 'ca-central-1',
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  DISCORD_TOKEN: 'a-token-of-discord.'.repeat(4),
  DISCORD_BOT_ID: '1331474398296727582',
  DISCORD_GUILD_ID: '1007381699346301038',
  LITELLM_API_KEY: 'sk-of-the-lab-1234',
  BOT_USERNAME: 'bot',
  OTHER_BOT_USERNAME: 'other',
} as const
