import { main } from '@infra/shared/cli/main'

await main(
  {
    name: 'pod',
    about:
      'the droplet of the pod: its ssh key, cloud firewall and DNS records; --write-env keeps its address in .env.pod',
    folder: import.meta.dirname,
    scripts: /^0/,
    npm: 'provision',
    commands: ['validate', 'plan', 'deploy', 'verify'],
    load: () => import('./provision.ts'),
  },
  // Not an option of the commands that all workspaces share: the workspace looks for it itself.
  process.argv.slice(2).filter((word) => word !== '--write-env'),
)
