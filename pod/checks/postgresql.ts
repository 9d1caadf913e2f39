import { type Check, check, type Finding, fail, ok, warn } from '@infra/shared/engine/check'
import { listeningAddresses } from '@infra/shared/facts/host/listening'
import { unitState } from '@infra/shared/facts/host/systemd'
import { clusters } from '@infra/shared/facts/postgres/cluster'
import { loginProblem } from '@infra/shared/facts/postgres/login'
import { type DatabaseState, databaseState, extensions, serverState } from '@infra/shared/facts/postgres/postgres'
import { kindOf } from '@infra/shared/steps/postgres/postgres'
import type { PodContext } from '../context.ts'
import { type Leftover, leftover } from '../synapse/move.ts'
import { synapseDatabaseName, synapseRole } from '../synapse/synapse.ts'

const again = 'npm run deploy -w pod -- --tags postgresql'

/** What the script `postgresql` leaves behind, seen from inside the host. */
export const postgresqlChecks = ({ env, host }: PodContext): readonly Check[] => {
  const version = env.VALENCE_POSTGRES_VERSION
  return [
    check(host, {
      id: 'postgresql.service',
      about: `PostgreSQL ${version} runs`,
      remedy: `${again}; on the host: journalctl -u postgresql@${version}-main`,
      ask: { unit: unitState(`postgresql@${version}-main.service`), found: clusters },
      judge({ unit, found }) {
        const own = found.find((cluster) => cluster.version === String(version) && cluster.name === 'main')
        if (!own) return fail('no such cluster')
        return unit.active === 'active' && own.status.startsWith('online') ? ok(own.status) : fail(own.status)
      },
    }),
    check(host, {
      id: 'postgresql.answers',
      about: 'PostgreSQL answers',
      remedy: again,
      ask: { server: serverState },
      judge: ({ server }) => (server ? ok(`version ${server.version}`) : fail('not installed')),
    }),
    check(host, {
      id: 'postgresql.database',
      about: 'database valence, UTF8 with collation C',
      remedy: again,
      ask: { now: databaseState('valence') },
      judge: ({ now }) => judgeDatabase(now, 'valence'),
    }),
    check(host, {
      id: 'postgresql.synapse',
      about: "database synapse, Synapse's own, UTF8 with collation C",
      remedy: again,
      ask: { now: databaseState(synapseDatabaseName) },
      judge: ({ now }) => judgeDatabase(now, synapseRole),
    }),
    check(host, {
      id: 'postgresql.apart',
      about: 'a role connects to its own database only, and Synapse keeps nothing in that of Valence',
      remedy: 'npm run deploy -w pod',
      ask: {
        ...{ postgres: databaseState('postgres'), template1: databaseState('template1') },
        ...{ valence: databaseState('valence'), synapse: databaseState(synapseDatabaseName) },
        left: leftover,
      },
      judge: ({ left, ...databases }) => judgeApart(databases, left),
    }),
    check(host, {
      id: 'postgresql.extension',
      about: 'extension vector in database valence',
      remedy: again,
      ask: { installed: extensions('valence') },
      judge: ({ installed: { vector } }) => (vector ? ok(vector) : fail('absent')),
    }),
    check(host, {
      id: 'postgresql.login',
      about: 'role valence logs in on localhost with its password',
      remedy: again,
      ask: { problem: loginProblem('valence', 'valence', env.VALENCE_DB_PASSWORD) },
      judge: ({ problem }) => (problem === undefined ? ok('it does') : fail(problem)),
    }),
    check(host, {
      id: 'postgresql.localhost',
      about: 'PostgreSQL listens on localhost only',
      remedy: again,
      ask: { addresses: listeningAddresses(5432) },
      judge({ addresses }) {
        const open = addresses.filter((address) => !/^(127\.|\[::1\])/.test(address))
        if (addresses.length === 0) return fail('nothing listens on port 5432')
        return open.length > 0 ? fail(`listens on ${open.join(', ')}`) : ok(addresses.join(', '))
      },
    }),
  ]
}

/** What a deploy would refuse, in its words. */
export function judgeDatabase(now: DatabaseState | null, owner: string): Finding {
  if (!now) return fail('absent')
  const is = `${kindOf(now)}, owner ${now.owner}`
  return is === `${kindOf({ encoding: 'UTF8', collate: 'C' })}, owner ${owner}` ? ok(is) : fail(is)
}

/** Nobody connects to a database who was not given that one, and none holds another's tables. */
export function judgeApart(
  databases: Readonly<Record<string, DatabaseState | null>>,
  { tables }: Pick<Leftover, 'tables'>,
): Finding {
  const open = Object.keys(databases).filter((name) => databases[name]?.open)
  if (open.length > 0) return fail(`open to every role: ${open.join(', ')}`)
  // Valence may have made tables of these names by itself.
  return tables > 0 ? warn(`${tables} tables of Synapse in database valence`) : ok('apart')
}
