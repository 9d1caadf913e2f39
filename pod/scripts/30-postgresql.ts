import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { aptPackages } from '@infra/shared/steps/host/apt'
import { upgradesFrom } from '@infra/shared/steps/host/unattended-upgrades'
import { postgresAccess } from '@infra/shared/steps/postgres/access'
import { postgresCluster } from '@infra/shared/steps/postgres/cluster'
import { pgdgSource } from '@infra/shared/steps/postgres/pgdg'
import {
  postgresClosed,
  postgresDatabase,
  postgresExtension,
  postgresRole,
  postgresSetting,
} from '@infra/shared/steps/postgres/postgres'
import { postgresReadable } from '@infra/shared/steps/postgres/readable'
import type { PodContext } from '../context.ts'
import { vendorOrigins } from '../host/security.ts'
import { synapseDatabaseName, synapseRole } from '../synapse/synapse.ts'

export default script(
  'postgresql',
  { about: 'PostgreSQL with pgvector, on localhost only: databases and roles valence and synapse', tags: ['db'] },
  ({ env, host }: PodContext, add) => {
    const version = env.VALENCE_POSTGRES_VERSION
    const tools = add(aptPackages(host, ['postgresql-common', 'ca-certificates']))
    const source = add(
      pgdgSource(host, version, { fingerprint: env.VALENCE_POSTGRES_KEY_FINGERPRINT, dependsOn: [tools] }),
    )
    add(upgradesFrom(host, vendorOrigins.postgresql, { dependsOn: [source] }))
    const names = [`postgresql-${version}`, `postgresql-${version}-pgvector`]
    const packages = add(aptPackages(host, names, { dependsOn: [source] }))
    const cluster = add(postgresCluster(host, version, { dependsOn: [packages] }))
    add(postgresSetting(host, 'listen_addresses', 'localhost', { dependsOn: [cluster] }))
    add(postgresSetting(host, 'password_encryption', 'scram-sha-256', { dependsOn: [cluster] }))
    add(postgresSetting(host, 'log_connections', 'on', { dependsOn: [cluster] }))
    add(postgresAccess(host, { dependsOn: [cluster] }))
    const role = add(postgresRole(host, 'valence', { password: env.VALENCE_DB_PASSWORD, dependsOn: [cluster] }))
    const kind = { encoding: 'UTF8', collate: 'C', closed: true }
    const database = add(postgresDatabase(host, 'valence', { ...kind, owner: 'valence', dependsOn: [role] }))
    add(postgresExtension(host, 'valence', 'vector', { dependsOn: [packages, database] }))
    add(postgresReadable(host, 'valence', 'valence', { dependsOn: [database] }))
    const other = add(postgresRole(host, synapseRole, { dependsOn: [cluster] }))
    add(postgresDatabase(host, synapseDatabaseName, { ...kind, owner: synapseRole, dependsOn: [other] }))
    for (const name of ['postgres', 'template1']) add(postgresClosed(host, name, { dependsOn: [cluster] }))
  },
)

standalone(import.meta.url)
