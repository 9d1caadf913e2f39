import { main } from '@infra/shared/cli/main'
import { own } from './commands/syntax.ts'

await main({
  name: 'pod',
  about: 'the Valence pod on one host: a hardened system, PostgreSQL with pgvector, the Valence repository',
  folder: import.meta.dirname,
  scripts: /^[1-9]/, // the droplet itself is made by provision/cli.ts
  own,
  load: () => import('./pod.ts'),
})
