import { type EnvOf, metaOf, schema, variable } from '@infra/shared/env/variable'
import { podSchema } from '../env/env.ts'

const { DIGITALOCEAN_TOKEN: token, ...all } = podSchema.variables

/** What is needed before there is a droplet: no address and no secret of the pod yet. */
export const provisionSchema = schema(
  'pod',
  'The droplet of the Valence pod',
  {
    DIGITALOCEAN_TOKEN: variable(token, { ...metaOf(token), neededFor: ['validate', 'plan', 'deploy', 'verify'] }),
    DIGITALOCEAN_API_URL: all.DIGITALOCEAN_API_URL,
    DIGITALOCEAN_NAMESERVER: all.DIGITALOCEAN_NAMESERVER,
    VALENCE_DOMAIN: all.VALENCE_DOMAIN,
    VALENCE_SSH_PUBKEY_FILE: all.VALENCE_SSH_PUBKEY_FILE,
    VALENCE_SSH_PUBKEY: all.VALENCE_SSH_PUBKEY,
    VALENCE_SSH_PORT: all.VALENCE_SSH_PORT,
    VALENCE_EXTRA_PORTS: all.VALENCE_EXTRA_PORTS,
    VALENCE_DROPLET_NAME: all.VALENCE_DROPLET_NAME,
    VALENCE_DROPLET_IMAGE: all.VALENCE_DROPLET_IMAGE,
    VALENCE_DROPLET_SIZE: all.VALENCE_DROPLET_SIZE,
    VALENCE_DROPLET_REGION: all.VALENCE_DROPLET_REGION,
    VALENCE_CLOUD_FIREWALL: all.VALENCE_CLOUD_FIREWALL,
  },
  podSchema.rules.filter(({ of }) => of.includes('VALENCE_SSH_PUBKEY')),
)

export type ProvisionEnv = EnvOf<typeof provisionSchema>
