import type { Services } from '@infra/shared/platform/commands/services'

/** The parts of the cluster that run, by the words of the commands. */
export const clusterServices: Services = {
  services: {
    bot: { workload: 'deployment/discord-bot', risk: 'restart' },
    sandbox: { workload: 'deployment/dev-sandbox', risk: 'downtime' },
    redis: { workload: 'statefulset/redis', risk: 'downtime' },
  },
  aliases: { 'discord-bot': 'bot', 'dev-sandbox': 'sandbox' },
}
