import { main } from '@infra/shared/cli/main'

await main({
  name: 'pod',
  about: 'the Valence pod on one host: a hardened system, PostgreSQL with pgvector, the Valence repository',
  folder: import.meta.dirname,
  scripts: /^[1-9]/, // the droplet itself is made by provision-cli.ts
  load: () => import('./pod.ts'),
})
