import { url } from '@infra/shared/env/network'
import { token } from '@infra/shared/env/secrets'
import { flag, matching } from '@infra/shared/env/text'
import { type VariableMeta, variable } from '@infra/shared/env/variable'
import { digitalOceanNameServer } from '@infra/shared/platform/env'

const droplet = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({
  group: 'DigitalOcean (npm run provision)',
  ...meta,
})

/** The droplet that `provision` makes at DigitalOcean, and how it is reached there. */
export const dropletVariables = {
  DIGITALOCEAN_TOKEN: variable(
    token().optional(),
    droplet({
      description: "The account's API token",
      example: 'dop_v1_...',
      placeholder: 'dop_v1_...',
      sample: 'dop_v1_sample',
      secret: true,
      common: true,
      unset: 'the droplet is made by hand: nothing else needs it',
      remedy: 'make one: https://cloud.digitalocean.com/account/api/tokens',
    }),
  ),
  DIGITALOCEAN_API_URL: variable(
    url().optional(),
    droplet({
      description: 'Another DigitalOcean API, for rehearsals',
      example: 'http://127.0.0.1:5001',
      common: true,
      unset: 'the real DigitalOcean',
    }),
  ),
  DIGITALOCEAN_NAMESERVER: digitalOceanNameServer('DigitalOcean (npm run provision)'),
  VALENCE_DROPLET_NAME: variable(
    matching(/^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/, 'a host name (letters, digits, . and -)').prefault(
      'valence-pod',
    ),
    droplet({ description: 'Name of the droplet; an existing one with this name is adopted', example: 'valence-pod' }),
  ),
  VALENCE_DROPLET_IMAGE: variable(
    matching(/^[a-z0-9][a-z0-9-]*$/, 'the slug or the id of an image').prefault('ubuntu-24-04-x64'),
    droplet({ description: 'Image of a new droplet', example: 'debian-12-x64' }),
  ),
  VALENCE_DROPLET_SIZE: variable(
    matching(/^[a-z0-9]+(-[a-z0-9.]+)+$/, 'the slug of a size').prefault('s-2vcpu-4gb'),
    droplet({ description: 'Size of the droplet; it is never resized here', example: 's-4vcpu-8gb' }),
  ),
  VALENCE_DROPLET_REGION: variable(
    matching(/^[a-z]{3}\d$/, 'the slug of a region').prefault('nyc1'),
    droplet({ description: 'Region of the droplet; it is never moved', example: 'fra1' }),
  ),
  VALENCE_CLOUD_FIREWALL: variable(
    flag().prefault('false'),
    droplet({ description: 'Whether the droplet also gets a cloud firewall', example: 'true' }),
  ),
}
