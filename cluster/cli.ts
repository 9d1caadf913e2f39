import { main } from '@infra/shared/cli/main'

await main({
  name: 'cluster',
  about: 'the AWS side of the Discord bot: tables, queues, repositories, its user',
  folder: import.meta.dirname,
  commands: ['validate', 'plan', 'deploy', 'verify'],
  load: () => import('./cluster.ts'),
})
