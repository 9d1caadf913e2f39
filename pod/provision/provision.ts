import { dirname, join } from 'node:path'
import { type Workspace, workspace } from '@infra/shared/cli/workspace'
import { blank } from '@infra/shared/targets/blank'
import { digitalOcean } from '@infra/shared/targets/digitalocean/digitalocean'
import { dropletChecks } from '../checks/droplet.ts'
import droplet from '../scripts/00-droplet.ts'
import type { ProvisionContext } from './context.ts'
import { provisionSchema } from './env.ts'
import { envFile, withEnvFile } from './env-file.ts'
import { dropletCost } from './prices.ts'

const provision: Workspace = workspace<typeof provisionSchema, ProvisionContext>({
  name: 'pod',
  schema: provisionSchema,
  scripts: [droplet],
  open({ env, offline, folder, environment, workspaceOptions }) {
    const account =
      offline || env.DIGITALOCEAN_TOKEN === undefined
        ? blank('a new DigitalOcean account')
        : digitalOcean({
            token: env.DIGITALOCEAN_TOKEN,
            endpoint: env.DIGITALOCEAN_API_URL,
            nameServer: env.DIGITALOCEAN_NAMESERVER,
          })
    const file = workspaceOptions?.['write-env'] ? envFile(environment) : undefined
    const cloud =
      file === undefined ? account : withEnvFile(account, join(dirname(folder), file), join(folder, 'known_hosts'))
    return { context: { env, cloud, envFile: file }, targets: [cloud] }
  },
  checks: dropletChecks,
  cost: ({ env }) => dropletCost(env),
})

export default provision
