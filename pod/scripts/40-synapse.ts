import { standalone } from '@infra/shared/cli/standalone'
import { type Add, script } from '@infra/shared/engine/script'
import { settingNames, synapseConfig } from '@infra/shared/facts/synapse/config'
import { aptPackages } from '@infra/shared/steps/host/apt'
import { file } from '@infra/shared/steps/host/file'
import { service } from '@infra/shared/steps/host/systemd'
import { weakSecrets, weakSecretsInForce } from '@infra/shared/steps/new-secret'
import { synapseConfigAdopted, synapseDropInsApart } from '@infra/shared/steps/synapse/config'
import { matrixUserAccounts } from '@infra/shared/steps/synapse/matrix-users'
import { synapseSigningKey } from '@infra/shared/steps/synapse/signing-key'
import { synapseDatabase, synapseIdentity, synapseOrigin } from '@infra/shared/steps/synapse/synapse'
import { noUnfinishedRestore } from '../backup/unfinished-restore.ts'
import type { PodContext } from '../context.ts'
import { synapseByApt, synapseByPip, synapseHardened } from '../synapse/install.ts'
import { sharedTablesGone, synapseMoved } from '../synapse/move.ts'
import * as synapse from '../synapse/synapse.ts'
import { addWeb } from '../web/steps.ts'

export default script(
  'synapse',
  { about: 'the Matrix homeserver Synapse, its users, nginx before it and the certificate', tags: ['matrix'] },
  (context: PodContext, add) => {
    const { env, host } = context
    const domain = env.VALENCE_DOMAIN
    const database = synapse.synapseDatabaseName
    const place = { database, role: synapse.synapseRole, before: synapse.sharedPlace }
    add(noUnfinishedRestore(host))
    const identity = add(synapseIdentity(host, domain, { ...place, media: synapse.synapseMedia }))
    add(synapseOrigin(host, env.SYNAPSE_INSTALL, { unit: synapse.synapseUnit }))
    const collation = add(synapseDatabase(host, database, { dependsOn: [identity] }))
    const web = add(aptPackages(host, ['nginx', 'certbot', 'curl', 'procps', 'openssl'], { dependsOn: [identity] }))
    const install = env.SYNAPSE_INSTALL === 'pip' ? synapseByPip : synapseByApt
    const installed = install(context, add, { dependsOn: [identity] })
    const key = add(
      synapseSigningKey(host, synapse.signingKey, {
        ...place,
        user: synapse.synapseUser,
        venv: synapse.synapseVenv,
        dependsOn: installed,
      }),
    )
    const said = synapse.synapseKeys(env)
    const apart = add(synapseDropInsApart(host, said, { dependsOn: installed }))
    const content = synapse.homeserver(env)
    const adopted = { ...synapse.settingsBefore, said, content, dependsOn: installed }
    const before = add(synapseConfigAdopted(host, adopted))
    addWeak(context, add)
    // Steps of the script before, by id.
    const databases = [`postgres.database ${synapse.sharedPlace.database}`, `postgres.database ${database}`]
    const first = [...installed, key, apart, before]
    const moved = add(synapseMoved(host, { content, dependsOn: [...first, ...databases, collation] }))
    const config = add(
      file(host, synapseConfig, {
        content,
        mode: '0640',
        group: synapse.synapseUser,
        names: { now: settingNames(synapseConfig), own: said },
        validate: synapse.synapseReads,
        explain: synapse.explainConfig,
        risk: 'restart',
        // web: whether Synapse answers is asked by curl.
        dependsOn: [...first, moved, web],
      }),
    )
    const hardened = synapseHardened(context, add, { dependsOn: installed })
    const homeserver = add(
      service(host, synapse.synapseUnit, {
        reads: synapse.synapseFiles,
        validate: synapse.synapseSound,
        ready: synapse.synapseReady,
        explain: synapse.explainStart,
        dependsOn: [collation, config, hardened],
      }),
    )
    const accounts = add(
      matrixUserAccounts(host, {
        ...synapse.matrixServer(env),
        users: synapse.podUsers(env),
        secret: env.SYNAPSE_REGISTRATION_SECRET,
        url: synapse.synapseUrl,
        unit: synapse.synapseUnit,
        ready: synapse.synapseReady,
        dependsOn: [homeserver],
      }),
    )
    add(sharedTablesGone(host, { dependsOn: [moved, config, homeserver, accounts] }))
    addWeb(context, add, { dependsOn: [web] })
  },
)

/** What is weak among the secrets is told where the server has it already, and refused where it would be new. */
function addWeak({ env, host }: PodContext, add: Add): void {
  const weak = weakSecrets(env.SYNAPSE_REGISTRATION_SECRET, env.SYNAPSE_MACAROON_SECRET, env.SYNAPSE_FORM_SECRET)
  if (weak.length > 0) add(weakSecretsInForce(host, synapseConfig, weak))
}

standalone(import.meta.url)
