/** The namespace of everything that runs in the cluster: the original's one, shared by all workspaces. */
export const namespace = 'discord-bot'

/** The Service of Redis, which the cluster deploys and others use. */
export const redisService = { name: 'redis', port: 6379 } as const

/** The Secret that says how Redis is reached: its `url`, with the password where it has one. The cluster makes it. */
export const redisSecret = { name: 'redis-auth', url: 'url' } as const

/** Who connects to Redis, by the label `app` of its pods: nobody else may (a network policy). */
export const redisClients = ['discord-bot', 'stoat-api', 'stoat-events', 'stoat-crond', 'stoat-pushd'] as const

/** The Secret that pods pull from ECR with. */
export const pullSecret = 'ecr-registry'
