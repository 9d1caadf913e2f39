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
      description: 'The domain of the web client and of the API; every URL is made from it',
      example: 'stoat.example.com',
      placeholder: 'stoat.your.domain.com',
    }),
  ),
  STOAT_TLS: variable(
    choice('gateway', 'upstream', 'none').prefault('gateway'),
    gateway({
      description:
        'Who has the certificate: `gateway` (Caddy gets one by ACME), `upstream` (a proxy before it), `none` (plain HTTP at http://localhost:8080, for `kubectl port-forward`)',
      example: 'upstream',
    }),
  ),
  STOAT_GATEWAY: variable(
    choice('load-balancer', 'cluster-ip', 'http-route').prefault('load-balancer'),
    gateway({
      description:
        'How Caddy is reached from outside: `load-balancer` (billed), `cluster-ip` (from inside and by port-forward only), `http-route` (by your own Gateway)',
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
        'Whether the record of the domain is made, where its zone is in the account of `DIGITALOCEAN_TOKEN` and Caddy has the certificate',
      example: 'false',
    }),
  ),
  STOAT_CADDY_STORAGE: variable(
    size().prefault('1Gi'),
    gateway({ description: 'Size of the volume of the certificates; it keeps it', example: '1Gi' }),
  ),
  DIGITALOCEAN_NAMESERVER: digitalOceanNameServer('Gateway'),
  STOAT_ACME_EMAIL: variable(
    email().optional(),
    gateway({
      description: 'Contact of the account at the certificate authority',
      example: 'admin@example.com',
      unset: 'the account has none',
    }),
  ),
  STOAT_ACME_DIRECTORY_URL: variable(
    url().prefault('https://acme-v02.api.letsencrypt.org/directory'),
    gateway({
      description: 'Who issues the certificate: the ACME directory of a staging or private authority',
      example: 'https://acme-staging-v02.api.letsencrypt.org/directory',
    }),
  ),
  STOAT_ACME_CA_FILE: variable(
    authoritiesFile().optional(),
    gateway({
      description:
        'PEM file of the authority behind a private ACME directory: Caddy believes the directory by it, and `verify` the certificate',
      example: './ca.pem',
      path: true,
      unset: 'the usual authorities',
    }),
  ),
}
