import { main } from '@infra/shared/cli/main'
import { clusterSyntax } from './commands/syntax.ts'

await main({
  name: 'cluster',
  about: 'the Discord bot, its sandbox and Redis on Kubernetes, with AWS',
  folder: import.meta.dirname,
  commands: ['validate', 'plan', 'deploy', 'verify', 'unlock'],
  own: clusterSyntax,
  load: () => import('./cluster.ts'),
})
