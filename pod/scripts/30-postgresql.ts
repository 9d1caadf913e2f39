import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { aptPackages } from '@infra/shared/steps/host/apt'
import { upgradesFrom } from '@infra/shared/steps/host/unattended-upgrades'
import { postgresAccess } from '@infra/shared/steps/postgres/access'
import { postgresCluster } from '@infra/shared/steps/postgres/cluster'
import { pgdgSource } from '@infra/shared/steps/postgres/pgdg'
import {
  postgresDatabase,
  postgresExtension,
  postgresRole,
  postgresSetting,
} from '@infra/shared/steps/postgres/postgres'
import type { PodContext } from '../context.ts'
import { makers } from '../host/security.ts'

export default script(
  'postgresql',
  { about: 'PostgreSQL with pgvector, on localhost only: database and role valence', tags: ['db'] },
  ({ env, host }: PodContext) => {
    const version = env.VALENCE_POSTGRES_VERSION
    const tools = aptPackages(host, ['postgresql-common', 'ca-certificates'])
    const source = pgdgSource(host, version, { after: [tools] })
    const packages = aptPackages(host, [`postgresql-${version}`, `postgresql-${version}-pgvector`], { after: [source] })
    const cluster = postgresCluster(host, version, { after: [packages] })
    const encryption = postgresSetting(host, 'password_encryption', 'scram-sha-256', { after: [cluster] })
    const role = postgresRole(host, 'valence', { password: env.VALENCE_DB_PASSWORD, after: [cluster] })
    const database = postgresDatabase(host, 'valence', {
      owner: 'valence',
      encoding: 'UTF8',
      collate: 'C',
      after: [role],
    })
    return [
      tools,
      source,
      upgradesFrom(host, makers.postgresql, { after: [source] }),
      packages,
      cluster,
      postgresSetting(host, 'listen_addresses', 'localhost', { after: [cluster] }),
      encryption,
      postgresAccess(host, { after: [cluster] }),
      role,
      database,
      postgresExtension(host, 'valence', 'vector', { after: [packages, database] }),
    ]
  },
)

standalone(import.meta.url)
