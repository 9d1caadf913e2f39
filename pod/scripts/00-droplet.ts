import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { keyFingerprint } from '@infra/shared/facts/digitalocean/ssh-key'
import { addressRecord } from '@infra/shared/steps/digitalocean/dns'
import { droplet, dropletAnswers } from '@infra/shared/steps/digitalocean/droplet'
import { cloudFirewall } from '@infra/shared/steps/digitalocean/firewall'
import { accountSshKey } from '@infra/shared/steps/digitalocean/ssh-key'
import { podPublicKeys } from '../env/env.ts'
import { openPorts } from '../host/security.ts'
import { type ProvisionContext, podNames } from '../provision/context.ts'
import { podAddressIn } from '../provision/env-file.ts'
import { dropletPrices } from '../provision/prices.ts'

export default script(
  'droplet',
  { about: 'the droplet, its ssh key, cloud firewall and DNS records', tags: ['cloud'] },
  ({ env, cloud, envFile }: ProvisionContext) => {
    const name = env.VALENCE_DROPLET_NAME
    const port = env.VALENCE_SSH_PORT
    const keys = podPublicKeys(env)
    const accountKeys = keys.map((key) => accountSshKey(cloud, { ...key, name: key.comment || name }))
    const pod = droplet(cloud, {
      name,
      image: env.VALENCE_DROPLET_IMAGE,
      size: env.VALENCE_DROPLET_SIZE,
      region: env.VALENCE_DROPLET_REGION,
      keys: keys.map(({ base64 }) => keyFingerprint(base64)),
      tag: 'managed-by:infra',
      prices: dropletPrices,
      after: accountKeys,
    })
    const after = [pod]
    const wall = cloudFirewall(cloud, { name, droplet: name, tcp: [port, ...openPorts], after })
    return [
      ...accountKeys,
      pod,
      ...(envFile === undefined ? [] : [podAddressIn(cloud, envFile, { droplet: name, after })]),
      ...(env.VALENCE_CLOUD_FIREWALL ? [wall] : []),
      dropletAnswers(cloud, name, { port, after }),
      ...podNames(env).map((host) => addressRecord(cloud, host, { droplet: name, after })),
    ]
  },
)

standalone(import.meta.url, 'provision/provision.ts')
