import { withRightsOf } from '../../command/as-user.ts'
import type { Output } from '../../command/command.ts'
import { sh } from '../../command/sh.ts'
import { type Change, changes, create, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { fileContent } from '../../facts/host/file.ts'
import { unitState } from '../../facts/host/systemd.ts'
import { type Cluster, clusters, runningPort } from '../../facts/postgres/cluster.ts'

/** Where programs look for PostgreSQL. */
const port = 5432

/**
 * The cluster `main` of this major version: it exists, runs at port 5432, and starts at boot. The package makes it so; a
 * cluster of another version that holds the port is refused, since its data would be left behind.
 * (`postgresql.service` says nothing of it: that one is "active (exited)" even when no server runs.)
 */
export function postgresCluster(
  on: Target,
  version: number,
  { dependsOn = [] }: { dependsOn?: readonly Dependency[] } = {},
): Step {
  const name = `${version}/main`
  const unit = `postgresql@${version}-main`
  const startConf = `/etc/postgresql/${name}/start.conf`
  const log = `/var/log/postgresql/postgresql-${version}-main.log`
  // Debian's unit hides a failed start (ExecStart=-), and recovery after a crash takes its time: ask the server itself.
  const bring = (verb: 'start' | 'restart') =>
    sh`{ systemctl ${verb} ${unit} && i=0 && until pg_isready -q --cluster ${name}; do i=$((i+1)); [ $i -le 60 ] || break; sleep 1; done && pg_isready -q --cluster ${name}; } || { journalctl -q -u ${unit} -n 8 -o cat >&2; tail -n 4 ${log} >&2; exit 1; }`
  // By its files: psql does not find a server whose port was changed but that was not restarted yet.
  const conftool = sh`pg_conftool ${version} main set port ${port} && pg_conftool ${`/var/lib/postgresql/${name}/postgresql.auto.conf`} remove port`
  const setPort = withRightsOf('postgres', conftool)
  return step({
    id: `postgres.cluster ${name}`,
    on,
    dependsOn,
    ask: {
      found: clusters,
      server: unitState(`${unit}.service`),
      all: unitState('postgresql.service'),
      start: fileContent(startConf, 'postgres'),
      running: runningPort(version, 'main'),
    },
    plan({ found, server, all, start, running }) {
      const own = found.find((cluster) => cluster.version === String(version) && cluster.name === 'main')
      const other = found.find((cluster) => cluster !== own && cluster.port === port)
      if (other) {
        return refuse(
          `cluster ${other.version}/${other.name} holds port ${port}: a new cluster ${name} would leave its data behind`,
          waysOut(other, version),
        )
      }
      if (server.enabled === 'masked') return refuse(`${unit} is masked`, `systemctl unmask ${unit}`)
      if (!own)
        return changes([create(`cluster ${name}`, sh`pg_createcluster --start ${version} main`, { explain })], '')
      const list: Change[] = []
      const atBoot = (start?.content ?? '').split('\n').some((line) => line.trim() === 'auto')
      if (!atBoot) {
        const edit = sh`sed -i -E ${'s/^(manual|disabled)[[:space:]]*$/auto/'} ${startConf} && { grep -qx auto ${startConf} || echo auto >>${startConf}; }`
        const write = sh`(${withRightsOf('postgres', edit)}) && systemctl daemon-reload`
        list.push(update(`cluster ${name} at boot`, write))
      }
      if (all.enabled !== 'enabled') list.push(update('postgresql.service at boot', sh`systemctl enable postgresql`))
      if (own.port !== port) list.push(update(`port of cluster ${name} ${own.port} → ${port}`, setPort))
      if (server.active !== 'active' || !own.status.startsWith('online')) {
        list.push(create(`${unit} started`, bring('start'), { explain }))
      } else if (own.port !== port || (running ?? port) !== port) {
        list.push(update(`${unit} restarted`, bring('restart'), { risk: 'restart', explain }))
      }
      return changes(list, `${own.status}, starts at boot`)
    },
  })
}

/** What keeps the data: the cluster as it is, under the name that is looked for; or its data in a newer one. */
function waysOut({ version: held, name: main }: Cluster, version: number): string {
  const named = main === 'main' ? '' : `pg_renamecluster ${held} ${main} main`
  if (held === String(version)) return `Give it the name that is used here: ${named}`
  const stay = `Set VALENCE_POSTGRES_VERSION=${held}${named && ` and run ${named}`}`
  if (Number(held) > version) return `${stay}, or, if its data is not needed: pg_dropcluster --stop ${held} ${main}`
  const move = `pg_upgradecluster -v ${version} ${main === 'main' ? '' : '--rename main '}${held} ${main}`
  return `${stay}, or move the data first: install postgresql-${version} and its extensions, remove its cluster ${version}/main, which must be empty (pg_dropcluster --stop ${version} main), then ${move}. The old cluster stays, at another port.`
}

function explain({ stdout, stderr }: Output): string | undefined {
  const said = [...(stdout + stderr).matchAll(/(LOG|FATAL|PANIC|Error): +(.*)/g)]
  const cause = said.find(([, , text]) => /invalid|unrecognized|could not|syntax error|No space/.test(text ?? ''))
  const last = cause ?? said.findLast(([, level]) => level !== 'LOG')
  return last && `PostgreSQL does not start: ${last[2]}`
}
