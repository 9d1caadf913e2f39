import type { Add } from '@infra/shared/engine/script'
import type { Dependency } from '@infra/shared/engine/step'
import { certificate } from '@infra/shared/steps/host/certificate'
import { directory, file } from '@infra/shared/steps/host/file'
import { type NginxForm, nginxSite } from '@infra/shared/steps/host/nginx'
import { service } from '@infra/shared/steps/host/systemd'
import type { PodContext } from '../context.ts'
import { httpSite, siteName, siteNames, tlsSite, webroot } from './nginx-site.ts'

/**
 * nginx before Synapse, and its certificate: a site that can prove who we are, the certificate by that, then the site that
 * uses it; and the renewal, which reloads nginx. `dependsOn`: what installs them.
 */
export function addWeb({ env, host }: PodContext, add: Add, { dependsOn }: { dependsOn: readonly Dependency[] }): void {
  const domain = env.VALENCE_DOMAIN
  const names = siteNames(env)
  const root = add(directory(host, webroot, { dependsOn }))
  const keptBy = 'NGINX_EXTRA_CONFIG_FILE'
  const site = { names, certificate: domain, keptBy, content: (nginx: NginxForm) => tlsSite(env, nginx) }
  const before = add(
    nginxSite(host, siteName, {
      ...site,
      bootstrap: (nginx) => httpSite(env, nginx),
      dependsOn: [...dependsOn, root],
    }),
  )
  const hookFolder = '/etc/letsencrypt/renewal-hooks/deploy'
  const hooks = add(directory(host, hookFolder, { dependsOn }))
  add(
    file(host, `${hookFolder}/reload-nginx`, {
      content: '#!/bin/sh\nnginx -t -q && systemctl reload nginx.service\n',
      mode: '0755',
      dependsOn: [hooks],
    }),
  )
  const issued = add(
    certificate(host, domain, {
      optional: names.slice(1),
      email: env.LETSENCRYPT_EMAIL,
      webroot,
      directory: env.ACME_DIRECTORY_URL,
      address: env.VALENCE_POD_IP,
      without: '--skip-tags synapse deploys the rest meanwhile.',
      dependsOn: [...dependsOn, before],
    }),
  )
  add(nginxSite(host, siteName, { ...site, dependsOn: [before, issued] }))
  add(service(host, 'certbot.timer', { dependsOn }))
}
