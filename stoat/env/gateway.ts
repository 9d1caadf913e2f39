import { authoritiesFile } from '@infra/shared/env/ca-file'
import { domain, email, url } from '@infra/shared/env/network'
import { choice, flag, matching } from '@infra/shared/env/text'
import { type VariableMeta, variable } from '@infra/shared/env/variable'
import { digitalOceanNameServer } from '@infra/shared/platform/env'
import { size } from './stores.ts'

const stoat = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Stoat', ...meta })
const gateway = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Gateway', ...meta })

/** Where Stoat is reached, and how. */
export const gatewayVariables = {
  STOAT_DOMAIN: variable(
    domain(),
    stoat({
      tfvar: 'stoat_domain',
      description: 'The domain of the web client and of the API; every URL uses it',
      example: 'stoat.example.com',
      placeholder: 'stoat.your.domain.com',
    }),
  ),
  STOAT_TLS: variable(
    choice('gateway', 'upstream', 'none').prefault('gateway'),
    gateway({
      description:
        'Where TLS ends: `gateway` (Caddy gets a certificate with ACME), `upstream` (a proxy in front of it), `none` (plain HTTP at http://localhost:8080, for `kubectl port-forward`)',
      example: 'upstream',
    }),
  ),
  STOAT_GATEWAY: variable(
    choice('load-balancer', 'cluster-ip', 'http-route').prefault('load-balancer'),
    gateway({
      description:
        'How Caddy is exposed: `load-balancer` (costs money), `cluster-ip` (only inside the cluster and with port-forward), `http-route` (your own Gateway)',
      example: 'cluster-ip',
    }),
  ),
  STOAT_GATEWAY_PARENT: variable(
    matching(
      /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$/,
      'NAME or NAMESPACE/NAME of a Gateway',
    ).prefault('gateway'),
    gateway({
      description: 'The Gateway that the HTTPRoute belongs to, with `STOAT_GATEWAY=http-route`: NAME or NAMESPACE/NAME',
      example: 'gateways/public',
    }),
  ),
  STOAT_DNS_RECORD: variable(
    flag().prefault('true'),
    gateway({
      description:
        "Whether the deploy creates the domain's DNS record, if the account of `DIGITALOCEAN_TOKEN` has its zone and Caddy has the certificate",
      example: 'false',
    }),
  ),
  STOAT_CADDY_STORAGE: variable(
    size().prefault('1Gi'),
    gateway({ description: 'Size of the volume for certificates; the tool does not resize it', example: '1Gi' }),
  ),
  DIGITALOCEAN_NAMESERVER: digitalOceanNameServer('Gateway'),
  STOAT_ACME_EMAIL: variable(
    email().optional(),
    gateway({
      description: 'Contact of the ACME account',
      example: 'admin@example.com',
      unset: 'the account has none',
    }),
  ),
  STOAT_ACME_DIRECTORY_URL: variable(
    url().prefault('https://acme-v02.api.letsencrypt.org/directory'),
    gateway({
      description: 'The ACME directory of a staging or private certificate authority',
      example: 'https://acme-staging-v02.api.letsencrypt.org/directory',
    }),
  ),
  STOAT_ACME_CA_FILE: variable(
    authoritiesFile().optional(),
    gateway({
      description: 'PEM file with the root of a private ACME directory, which Caddy and `verify` then trust',
      example: './ca.pem',
      path: true,
      unset: 'the usual authorities',
    }),
  ),
}
