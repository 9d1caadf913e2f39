import { dirname } from 'node:path'
import type { Entry } from '@infra/shared/cli/help'

/** The command line of `provision`: the droplet, its key and its DNS records. */
const provision: Entry = {
  name: 'pod',
  about: 'the droplet of the pod: its ssh key, cloud firewall and DNS records',
  folder: dirname(import.meta.dirname),
  scripts: /^0/,
  npm: 'provision',
  sharedCommands: ['validate', 'plan', 'deploy', 'verify'],
  planOptions: {
    'write-env': {
      type: 'boolean',
      help: "write the droplet's address and host key to .env.pod",
    },
  },
  load: () => import('./provision.ts'),
}

export default provision
