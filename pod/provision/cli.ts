import { dirname } from 'node:path'
import { main } from '@infra/shared/cli/main'
import { provisionSyntax } from '../commands/syntax.ts'

await main({
  name: 'pod',
  about: 'the droplet of the pod: its ssh key, cloud firewall and DNS records',
  folder: dirname(import.meta.dirname),
  scripts: /^0/,
  npm: 'provision',
  commands: ['validate', 'plan', 'deploy', 'verify'],
  own: provisionSyntax,
  load: () => import('./provision.ts'),
})
