import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { synapseConfig } from '@infra/shared/facts/synapse/config'
import { aptPackages } from '@infra/shared/steps/host/apt'
import { directory, file } from '@infra/shared/steps/host/file'
import { service } from '@infra/shared/steps/host/systemd'
import { synapseConfigAdopted, synapseDropInsApart } from '@infra/shared/steps/synapse/config'
import { matrixUserAccounts } from '@infra/shared/steps/synapse/matrix-users'
import { synapseDatabase, synapseIdentity, synapseOrigin, synapseSigningKey } from '@infra/shared/steps/synapse/synapse'
import { noUnfinishedRestore } from '../backup/unfinished-restore.ts'
import type { PodContext } from '../context.ts'
import { synapseByApt, synapseByPip } from '../synapse/install.ts'
import * as synapse from '../synapse/synapse.ts'
import { webSteps } from '../web/steps.ts'

export default script(
  'synapse',
  { about: 'the Matrix homeserver Synapse, its users, nginx before it and the certificate', tags: ['matrix'] },
  ({ env, host }: PodContext) => {
    const domain = env.VALENCE_DOMAIN
    const database = synapse.synapseDatabaseName
    const identity = synapseIdentity(host, domain, { database, role: 'valence', media: synapse.synapseMedia })
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
    const said = synapse.synapseKeys(env)
    const apart = synapseDropInsApart(host, said, { after: installed })
    const before = synapseConfigAdopted(host, { said, needless: synapse.needlessKeys, after: installed })
    const config = file(host, synapseConfig, {
      content: synapse.homeserver(env),
      mode: '0640',
      group: synapse.synapseUser,
      validate: synapse.synapseReads,
      explain: synapse.explainConfig,
      risk: 'restart',
      after: [...installed, key, apart, before],
    })
    const closed = `/etc/systemd/system/${synapse.synapseUnit}.d/hardening.conf`
    const folder = directory(host, `/etc/systemd/system/${synapse.synapseUnit}.d`)
    const hardened = file(host, closed, { content: synapse.hardening, after: [folder, ...installed] })
    const homeserver = service(host, synapse.synapseUnit, {
      reads: synapse.synapseFiles,
      validate: synapse.synapseSound,
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

    return [
      noUnfinishedRestore(host),
      identity,
      origin,
      collation,
      web,
      ...installed,
      key,
      apart,
      before,
      config,
      folder,
      hardened,
      homeserver,
      users,
      ...webSteps({ env, host }, { after: [web] }),
    ]
  },
)

standalone(import.meta.url)
