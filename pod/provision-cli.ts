import { main } from '@infra/shared/cli/main'

await main({
  name: 'pod',
  about: 'the droplet of the pod: its ssh key, cloud firewall and DNS records',
  folder: import.meta.dirname,
  scripts: /^0/,
  npm: 'provision',
  commands: ['validate', 'plan', 'deploy', 'verify'],
  own: {
    options: {
      'write-env': {
        type: 'boolean',
        help: "keep the droplet's address in .env.pod, where the deployment finds it",
        of: ['plan', 'deploy'],
      },
    },
  },
  load: () => import('./provision.ts'),
})
