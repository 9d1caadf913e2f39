import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { existingDroplet } from '@infra/shared/facts/digitalocean/droplet'
import { keyFingerprint } from '@infra/shared/facts/digitalocean/ssh-key'
import { addressRecord } from '@infra/shared/steps/digitalocean/dns'
import { droplet, dropletAnswers } from '@infra/shared/steps/digitalocean/droplet'
import { cloudFirewall } from '@infra/shared/steps/digitalocean/firewall'
import { accountSshKey } from '@infra/shared/steps/digitalocean/ssh-key'
import { podPublicKeys } from '../env/env.ts'
import { openPorts } from '../host/security.ts'
import { type ProvisionContext, podNames } from '../provision/context.ts'
import { podAddressIn, podHostKeyIn } from '../provision/env-file.ts'
import { dropletPrices } from '../provision/prices.ts'

export default script(
  'droplet',
  { about: 'the droplet, its ssh key, cloud firewall and DNS records', tags: ['cloud'] },
  ({ env, cloud, envFile }: ProvisionContext, add) => {
    const name = env.VALENCE_DROPLET_NAME
    const port = env.VALENCE_SSH_PORT
    const keys = podPublicKeys(env)
    const accountKeys = keys.map((key) => add(accountSshKey(cloud, { ...key, name: key.comment || name })))
    const pod = add(
      droplet(cloud, {
        name,
        image: env.VALENCE_DROPLET_IMAGE,
        size: env.VALENCE_DROPLET_SIZE,
        region: env.VALENCE_DROPLET_REGION,
        keys: keys.map(({ base64 }) => keyFingerprint(base64)),
        tag: 'managed-by:infra',
        prices: dropletPrices,
        dependsOn: accountKeys,
      }),
    )
    const dependsOn = [pod]
    if (envFile !== undefined) add(podAddressIn(cloud, envFile, { droplet: name, dependsOn }))
    if (env.VALENCE_CLOUD_FIREWALL)
      add(
        cloudFirewall(cloud, {
          name,
          droplet: name,
          tcp: [port, ...openPorts],
          extra: env.VALENCE_EXTRA_PORTS,
          dependsOn,
        }),
      )
    const answers = add(dropletAnswers(cloud, name, { port, dependsOn }))
    if (envFile !== undefined) add(podHostKeyIn(cloud, envFile, { droplet: name, port, dependsOn: [answers] }))
    const holder = { what: 'the droplet', address: existingDroplet(name), dependsOn }
    for (const host of podNames(env)) add(addressRecord(cloud, host, holder))
  },
)

standalone(import.meta.url, 'provision/commands.ts')
