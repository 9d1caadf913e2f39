import { main } from '@infra/shared/cli/main'

await main({
  name: 'pod',
  about: 'the Valence pod on one host: a hardened system, PostgreSQL with pgvector, the Valence repository',
  folder: import.meta.dirname,
  load: () => import('./pod.ts'),
})
