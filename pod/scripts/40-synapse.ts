import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { synapseConfig } from '@infra/shared/facts/synapse'
import { aptPackages } from '@infra/shared/steps/apt'
import { certificate } from '@infra/shared/steps/certificate'
import { directory, file } from '@infra/shared/steps/file'
import { matrixUserAccounts } from '@infra/shared/steps/matrix-users'
import { nginxSite } from '@infra/shared/steps/nginx'
import {
  synapseDatabase,
  synapseDropInsApart,
  synapseIdentity,
  synapseOrigin,
  synapseSigningKey,
} from '@infra/shared/steps/synapse'
import { service } from '@infra/shared/steps/systemd'
import { httpSite, siteNames, tlsSite, webroot } from '../nginx-site.ts'
import type { PodContext } from '../pod-context.ts'
import * as synapse from '../synapse.ts'
import { synapseByApt, synapseByPip } from '../synapse-install.ts'

export default script(
  'synapse',
  { about: 'the Matrix homeserver Synapse, its users, nginx before it and the certificate', tags: ['matrix'] },
  ({ env, host }: PodContext) => {
    const domain = env.VALENCE_DOMAIN
    const database = synapse.synapseDatabaseName
    const identity = synapseIdentity(host, domain, { database, media: synapse.synapseMedia })
    const origin = synapseOrigin(host, env.SYNAPSE_INSTALL, { unit: synapse.synapseUnit })
    const collation = synapseDatabase(host, database, { after: [identity] })
    const web = aptPackages(host, ['nginx', 'certbot', 'curl', 'procps', 'openssl'], { after: [identity] })
    const installed = (env.SYNAPSE_INSTALL === 'pip' ? synapseByPip : synapseByApt)(host, env, { after: [identity] })
    const key = synapseSigningKey(host, synapse.signingKey, {
      database,
      user: synapse.synapseUser,
      venv: synapse.synapseVenv,
      after: installed,
    })
    const apart = synapseDropInsApart(host, synapse.synapseKeys(env), { after: installed })
    const config = file(host, synapseConfig, {
      content: synapse.homeserver(env),
      mode: '0640',
      group: synapse.synapseUser,
      validate: synapse.synapseReads,
      explain: synapse.explainConfig,
      risk: 'restart',
      after: [...installed, key, apart],
    })
    const closed = `/etc/systemd/system/${synapse.synapseUnit}.d/hardening.conf`
    const folder = directory(host, `/etc/systemd/system/${synapse.synapseUnit}.d`)
    const hardened = file(host, closed, { content: synapse.hardening, after: [folder, ...installed] })
    const homeserver = service(host, synapse.synapseUnit, {
      reads: synapse.synapseFiles,
      ready: synapse.synapseReady,
      explain: synapse.explainStart,
      after: [collation, config, hardened],
    })
    const users = matrixUserAccounts(host, {
      ...synapse.matrixServer(env),
      users: synapse.podUsers(env),
      secret: env.SYNAPSE_REGISTRATION_SECRET,
      url: synapse.synapseUrl,
      unit: synapse.synapseUnit,
      ready: synapse.synapseReady,
      after: [homeserver],
    })

    const names = siteNames(env)
    const root = directory(host, webroot, { after: [web] })
    const site = { names, certificate: domain }
    const before = nginxSite(host, 'valence', {
      ...site,
      until: 'certificate',
      content: (nginx) => httpSite(env, nginx),
      after: [web, root],
    })
    const issued = certificate(host, domain, {
      optional: names.slice(1),
      email: env.LETSENCRYPT_EMAIL,
      webroot,
      directory: env.ACME_DIRECTORY_URL,
      address: env.VALENCE_POD_IP,
      without: '--skip-tags synapse deploys the rest meanwhile.',
      after: [web, before],
    })
    const hooks = directory(host, '/etc/letsencrypt/renewal-hooks/deploy', { after: [web] })
    const hook = file(host, '/etc/letsencrypt/renewal-hooks/deploy/reload-nginx', {
      content: '#!/bin/sh\nnginx -t -q && systemctl reload nginx.service\n',
      mode: '0755',
      after: [hooks],
    })
    return [
      identity,
      origin,
      collation,
      web,
      ...installed,
      key,
      apart,
      config,
      folder,
      hardened,
      homeserver,
      users,
      root,
      before,
      hooks,
      hook,
      issued,
      nginxSite(host, 'valence', { ...site, content: (nginx) => tlsSite(env, nginx), after: [before, issued] }),
      service(host, 'certbot.timer', { after: [] }),
    ]
  },
)

standalone(import.meta.url)
