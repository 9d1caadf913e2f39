import { main } from '@infra/shared/cli/main'

await main({
  name: 'stoat',
  about: 'the environment of the Stoat chat platform: its secrets made and judged',
  folder: import.meta.dirname,
  commands: ['validate'],
  load: () => import('./stoat.ts'),
})
