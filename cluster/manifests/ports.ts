import { redisService } from '@infra/shared/platform/names'

/** Where the bot, Redis and the sandbox's MCP servers listen. */
export const listens = { bot: 3000, redis: redisService.port, filesystem: 8777, git: 8778, shell: 8779 } as const
