import { secret } from '@infra/shared/command/secret'
import type { Target } from '@infra/shared/engine/target'
import { postgresAccess } from '@infra/shared/steps/postgres/access'
import { postgresCluster } from '@infra/shared/steps/postgres/cluster'
import {
  postgresClosed,
  postgresDatabase,
  postgresExtension,
  postgresRole,
  postgresSetting,
} from '@infra/shared/steps/postgres/postgres'
import { postgresReadable } from '@infra/shared/steps/postgres/readable'
import { awaitsThat } from '../support/wait.ts'
import type { Damage, Kind } from './kind.ts'

const cluster = (on: Target) => postgresCluster(on, 17)
const sql = (statement: string) => `cd / && runuser -u postgres -- psql -qX -c ${JSON.stringify(statement)}`
const inContract = (statement: string) =>
  `cd / && runuser -u postgres -- psql -qX -d contract -c ${JSON.stringify(statement)}`
const hba = '/etc/postgresql/17/main/pg_hba.conf'
const password = secret('a contract is a contract')
const desired = { owner: 'contract', encoding: 'UTF8', collate: 'C' }

/** The cluster, a role in it, a database of the role. */
function base(on: Target) {
  const main = cluster(on)
  const role = postgresRole(on, 'contract', { password, dependsOn: [main] })
  return { main, role, database: postgresDatabase(on, 'contract', { ...desired, dependsOn: [role] }) }
}

const down: Damage = {
  name: 'the server down, so that nothing can be asked',
  sh: 'systemctl stop postgresql@17-main',
  step: 'postgres.cluster 17/main',
  says: /^postgresql@17-main started$/,
}

/** Kinds of PostgreSQL. */
export const databaseKinds: readonly Kind[] = [
  {
    kind: 'PostgreSQL cluster',
    covers: ['postgresCluster'],
    // As a package upgrade or an interrupted installation may leave it.
    prepare: 'pg_dropcluster --stop 17 main',
    steps: (on) => [cluster(on)],
    damages: [
      down,
      {
        name: 'the server killed',
        sh: `kill -9 $(head -n 1 /var/lib/postgresql/17/main/postmaster.pid); ${awaitsThat('! pgrep -x postgres >/dev/null')}`,
        says: /started$/,
      },
      {
        name: 'not started at boot',
        sh: 'echo manual >/etc/postgresql/17/main/start.conf',
        says: /^cluster 17\/main at boot$/,
      },
      { name: 'postgresql.service disabled', sh: 'systemctl disable postgresql', says: /^postgresql.service at boot$/ },
      {
        name: 'another port, not yet in effect',
        sh: 'pg_conftool 17 main set port 5433',
        says: /^port of cluster 17\/main 5433 → 5432/,
      },
      {
        name: 'another port, in effect',
        sh: 'pg_conftool 17 main set port 5433 && systemctl restart postgresql@17-main',
        says: /5433 → 5432, postgresql@17-main restarted$/,
      },
      {
        name: 'its unit masked',
        sh: 'systemctl mask postgresql@17-main',
        stops: /postgresql@17-main is masked/,
      },
    ],
  },
  {
    kind: 'PostgreSQL setting',
    covers: ['postgresSetting'],
    // What Debian sets is what is desired.
    prepare: `${sql("ALTER SYSTEM SET listen_addresses = '*'")} && ${sql("ALTER SYSTEM SET password_encryption = 'md5'")} &&
systemctl restart postgresql@17-main`,
    steps: (on) => {
      const main = cluster(on)
      return [
        main,
        postgresSetting(on, 'password_encryption', 'scram-sha-256', { dependsOn: [main] }),
        postgresSetting(on, 'listen_addresses', 'localhost', { dependsOn: [main] }),
      ]
    },
    damages: [
      {
        name: 'opened to the world, not yet in effect',
        sh: sql("ALTER SYSTEM SET listen_addresses = '*'"),
        says: /^setting listen_addresses \* → localhost$/,
      },
      {
        name: 'opened to the world',
        sh: `${sql("ALTER SYSTEM SET listen_addresses = '*'")} && systemctl restart postgresql@17-main`,
        says: /^setting listen_addresses \* → localhost, postgresql@17-main restarted$/,
      },
      {
        name: 'set back, but the restart missed',
        sh: `${sql("ALTER SYSTEM SET listen_addresses = '*'")} && systemctl restart postgresql@17-main &&
${sql('ALTER SYSTEM RESET listen_addresses')}`,
        says: /^postgresql@17-main restarted$/,
      },
      {
        name: 'one that needs no restart changed and loaded',
        sh: `${sql("ALTER SYSTEM SET password_encryption = 'md5'")} && ${sql('SELECT pg_reload_conf()')}`,
        step: 'postgres.setting password_encryption',
        says: /^setting password_encryption md5 → scram-sha-256$/,
      },
      {
        name: 'set back, but not loaded',
        sh: `${sql("ALTER SYSTEM SET password_encryption = 'md5'")} && ${sql('SELECT pg_reload_conf()')} &&
${awaitsThat(`${sql('SHOW password_encryption')} | grep -qw md5`)} &&
${sql('ALTER SYSTEM RESET password_encryption')}`,
        step: 'postgres.setting password_encryption',
        says: /^PostgreSQL reloaded$/,
      },
      down,
    ],
  },
  {
    kind: 'PostgreSQL role',
    covers: ['postgresRole'],
    steps: (on) => {
      const { main, role } = base(on)
      return [main, role]
    },
    damages: [
      { name: 'dropped', sh: sql('DROP ROLE contract'), says: /^role contract$/ },
      {
        name: 'another password',
        sh: sql("ALTER ROLE contract PASSWORD 'another'"),
        says: /^password of role contract$/,
      },
      {
        name: 'the password kept in the old way',
        sh: sql("SET password_encryption = 'md5'; ALTER ROLE contract PASSWORD 'a contract is a contract'"),
        says: /^password of role contract$/,
      },
      { name: 'locked', sh: sql('ALTER ROLE contract NOLOGIN'), says: /may log in$/ },
      { name: 'made a superuser', sh: sql('ALTER ROLE contract SUPERUSER'), says: /is not a superuser$/ },
      down,
    ],
  },
  {
    kind: 'PostgreSQL database',
    covers: ['postgresDatabase'],
    steps: (on) => Object.values(base(on)),
    damages: [
      { name: 'dropped', sh: sql('DROP DATABASE contract'), says: /^database contract$/ },
      { name: 'owned by another', sh: sql('ALTER DATABASE contract OWNER TO postgres'), says: /postgres → contract$/ },
      {
        name: 'of another collation',
        sh: `${sql('ALTER DATABASE contract RENAME TO kept')} && ${sql("CREATE DATABASE contract OWNER contract TEMPLATE template0 ENCODING UTF8 LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")}`,
        stops: /collate C.UTF-8.* cannot be changed in place/,
        mend: `${sql('DROP DATABASE contract')} && ${sql('ALTER DATABASE kept RENAME TO contract')}`,
      },
      {
        name: 'lost with the role that owns it',
        sh: `${sql('DROP DATABASE contract')} && ${sql('DROP ROLE contract')} && ${sql('CREATE ROLE contract LOGIN')}`,
        step: 'postgres.role contract, postgres.database contract',
        says: /^password of role contract, database contract$/,
      },
    ],
  },
  {
    kind: 'PostgreSQL database that is closed to others',
    covers: ['postgresClosed'],
    steps: (on) => {
      const main = cluster(on)
      return [main, postgresClosed(on, 'template1', { dependsOn: [main] })]
    },
    damages: [
      {
        name: 'opened',
        sh: sql('GRANT CONNECT ON DATABASE template1 TO PUBLIC'),
        says: /^database template1 is not open to every role$/,
      },
      down,
    ],
  },
  {
    kind: 'PostgreSQL extension',
    covers: ['postgresExtension'],
    steps: (on) => {
      const { database, ...before } = base(on)
      return [
        ...Object.values(before),
        database,
        postgresExtension(on, 'contract', 'vector', { dependsOn: [database] }),
      ]
    },
    damages: [
      {
        name: 'dropped',
        sh: `cd / && runuser -u postgres -- psql -qX -d contract -c 'DROP EXTENSION vector'`,
        says: /^extension vector$/,
      },
      down,
    ],
  },
  {
    kind: 'PostgreSQL tables that can be read',
    covers: ['postgresReadable'],
    // Where this kind is tried alone, there is no database yet, and that is what is made.
    prepare: `${inContract('CREATE TABLE of_another (id int)')} || true`,
    steps: (on) => {
      const { database, ...before } = base(on)
      return [
        ...Object.values(before),
        database,
        postgresReadable(on, 'contract', 'contract', { dependsOn: [database] }),
      ]
    },
    damages: [
      {
        name: 'a table of another role',
        sh: inContract('CREATE TABLE "of postgres" (id serial)'),
        says: /^role contract may read sequence public\.of postgres_id_seq, table public\.of postgres of database contract$/,
      },
      {
        name: 'a schema of another role',
        sh: inContract('CREATE SCHEMA closed CREATE VIEW closed.v AS SELECT 1'),
        says: /^role contract may read schema closed of database contract$/,
      },
    ],
  },
  {
    kind: 'PostgreSQL access',
    covers: ['postgresAccess'],
    prepare: `sed -i -E 's/^(host.*)scram-sha-256$/\\1md5/' ${hba} && ${sql('SELECT pg_reload_conf()')}`,
    steps: (on) => {
      const main = cluster(on)
      return [main, postgresAccess(on, { dependsOn: [main] })]
    },
    damages: [
      {
        name: 'everybody trusted',
        sh: `sed -i -E 's/^(host.*)scram-sha-256$/\\1trust/' ${hba} && ${sql('SELECT pg_reload_conf()')}`,
        says: /pg_hba.conf$/,
      },
      {
        name: 'the local socket open to all',
        sh: `sed -i -E 's/^(local .*)peer$/\\1trust/' ${hba}`,
        says: /pg_hba.conf$/,
      },
      { name: 'no line for the account of Synapse', sh: `sed -i '/synapse/d' ${hba}`, says: /pg_hba.conf$/ },
      {
        name: 'no map for the account of Synapse',
        sh: `sed -i '/synapse/d' ${hba.replace('hba', 'ident')}`,
        says: /pg_ident.conf$/,
      },
      { name: 'no line for localhost', sh: `sed -i '/127.0.0.1/d' ${hba}`, says: /pg_hba.conf$/ },
      {
        name: 'written, but not loaded',
        // PostgreSQL tells a file's time in whole seconds.
        sh: awaitsThat(
          `touch ${hba} && ${sql("SELECT (pg_stat_file(current_setting('hba_file'))).modification > pg_conf_load_time()")} | grep -qw t`,
        ),
        says: /^PostgreSQL reloaded$/,
      },
      {
        name: 'a line that PostgreSQL does not understand',
        sh: `cp -p ${hba} ${hba}.kept; echo 'host everything' >>${hba}`,
        stops: /does not understand/,
        mend: `mv ${hba}.kept ${hba} && ${sql('SELECT pg_reload_conf()')}`,
      },
      down,
    ],
  },
]
