import type { Output } from '../../command/command.ts'
import { all, raw, type Shell, sh } from '../../command/sh.ts'
import { changes, create, type Dependency, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { dpkgAudit, installedPackages } from '../../facts/host/apt.ts'

/** Seconds to wait for another package manager … */
const lockTimeout = 120
/** … and for the machine's own daily update, which ends by itself: that of a new droplet takes minutes. */
const updateTimeout = 600

const aptGet = raw(
  `apt-get -y -o DPkg::Lock::Timeout=0 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold -o Acquire::Retries=2`,
)

/** Lists that were fetched less than this many minutes ago are not fetched again. */
const freshness = 360

// The files of the lists have the times of their server, so what counts is our own stamp, or one of apt's daily job.
const stamp = '/var/lib/infra/lists-fetched'

const freshLists = raw(
  `{ { [ -n "$(find ${stamp} /var/lib/apt/periodic/update*stamp -mmin -${freshness} 2>/dev/null)" ] && \
ls /var/lib/apt/lists/*Release >/dev/null 2>&1; } || ${updateLists().line}; }`,
)

/**
 * Runs apt-get, and again while another package manager holds a lock that it needs: a new machine updates itself just now.
 * apt's own wait covers dpkg's locks only, and says off a terminal who holds them by chance (`MajorChange` of its
 * apt-pkg/contrib/progress.cc has no first value). Leaves the exit code in `code`, and in `said` what stderr had.
 */
function patiently(apt: Shell): Shell {
  return sh`began=$(date +%s); while :; do
  { said=$(LC_ALL=C ${apt} 2>&1 >&3); code=$?; } 3>&1
  case $code:$said in 0:*) break ;; *'Could not get lock /var/'*) ;; *) break ;; esac
  case $said in *'(unattended-upgr)'*|*'(apt.systemd.dai)'*) limit=${updateTimeout} ;; *) limit=${lockTimeout} ;; esac
  [ $(($(date +%s) - began)) -lt $limit ] || break
  echo "waiting for another package manager: $(printf '%s\\n' "$said" | sed -n 's/^E: Could not get lock //p')"; sleep 2
done; [ -z "$said" ] || printf '%s\\n' "$said" >&2`
}

/** Fetches the package lists, without translations. An unreachable mirror is an error, not a warning. */
export function updateLists(): Shell {
  const update = sh`${aptGet} -o Acquire::Languages=none -o APT::Update::Error-Mode=any update`
  return sh`{ ${patiently(update)}; [ "$code" = 0 ] && (umask 077; mkdir -p /var/lib/infra) && touch ${stamp}; }`
}

/**
 * Installs packages and what they need; what would take others away is an error, since no plan has named those. Where a
 * source has replaced a version since its lists were fetched, they are fetched anew, and it is tried again.
 */
function install(words: Shell): Shell {
  const run = sh`${aptGet} install --no-remove ${words}`
  return sh`{ ${patiently(run)}
case $code:$said in 0:*) ;; *' 404 '*) echo 'the lists name what is gone: fetched anew'; ${updateLists()} && \
{ ${patiently(run)}; [ "$code" = 0 ]; } ;; *) false ;; esac; }`
}

// What dpkg was interrupted in is unpacked anew by neither apt nor dpkg, and apt may not reinstall it while others wait for
// it: fetched by apt, unpacked by dpkg. What configures before needs no success: it fails where that waits for the unpacked.
const fetched = '/var/cache/apt/archives/torn'
const repair = sh`dpkg --force-confold --configure -a
torn=$(dpkg-query -W -f '\${db:Status-Eflag} \${binary:Package}\\n' | sed -n 's/^reinstreq //p')
{ [ -z "$torn" ] || { ${freshLists} && rm -rf ${fetched} && install -d -o _apt ${fetched} && \
(cd ${fetched} && ${aptGet} download $torn && dpkg --force-confold --unpack ./*.deb); code=$?; rm -rf ${fetched}; [ "$code" = 0 ]; }; } && \
${install(raw('--fix-broken'))}`

/**
 * Packages, without what they only recommend. The packages that several steps of a run miss are installed in one
 * transaction, in the place of the first.
 */
export function aptPackages(
  on: Target,
  names: readonly string[],
  options: { dependsOn?: readonly Dependency[] } = {},
): Step {
  const bring = (items: readonly string[]) => {
    const essence = sh`apt-get update && apt-get -y install --no-remove --no-install-recommends ${items}`.line
    return [{ ...all(freshLists, install(sh`--no-install-recommends ${items}`)), essence }]
  }
  return step({
    id: `packages ${names.slice(0, 3).join(' ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`,
    on,
    dependsOn: options.dependsOn ?? [],
    ask: { installed: installedPackages(names), audit: dpkgAudit },
    plan({ installed, audit }) {
      const missing = names.filter((name) => installed[name] === undefined)
      const list =
        missing.length > 0
          ? [
              create(`package${missing.length > 1 ? 's' : ''} ${missing.join(' ')}`, bring(missing), {
                batch: { key: 'apt', items: missing, run: bring },
                explain: explainApt,
              }),
            ]
          : []
      const mend = update('packages left half installed', repair, { explain: explainApt, once: 'dpkg' })
      return changes(audit === '' ? list : [mend, ...list], `${names.length} installed`)
    },
  })
}

/** What apt means, in a line. */
export function explainApt({ stdout, stderr }: Output): string | undefined {
  const said = stdout + stderr
  // It tells of the holder while it waits as well: that alone is not an error.
  if (/^E: (Unable to (acquire|lock)|Could not get lock)/m.test(said)) {
    const [, id, name] = said.match(/held by process (\d+)(?: \(([^)]+)\))?/) ?? []
    return `another package manager is at work${id ? ` (process ${id}${name ? `, ${name}` : ''})` : ''}`
  }
  if (/Packages need to be removed but remove is disabled/.test(said)) {
    const found = said.match(/packages will be REMOVED:\n((?: +.*\n)+)/)?.[1]
    const others = found?.trim().replace(/\s+/g, ' ') ?? 'other packages'
    return `apt would take away ${others}, so nothing was done: if they may go, apt-get remove them on the host, then run again`
  }
  const [, site] = said.match(/Conflicting values set for option \S+ regarding source (\S+)/) ?? []
  if (site)
    return `two sources on the host name different keys for ${site}: keep one of those that grep -rn ${site.split('/')[2] ?? site} /etc/apt/sources.list* shows`
  if (/You don't have enough free space/.test(said)) return 'the disk is full'
  const unknown = said.match(/Unable to locate package (\S+)|Package '?(\S+?)'? has no installation candidate/)
  if (unknown) return `no source on the host has the package ${unknown[1] ?? unknown[2]}`
  const gone = said.match(/Failed to fetch (\S+)\s+404/)?.[1]
  if (gone) return `the package mirror is being updated, or wrong: it lists ${gone} and does not have it`
  if (
    /Could not resolve|Failed to fetch|Unable to connect|Connection (refused|failed|timed out)|Could not connect/.test(
      said,
    )
  ) {
    return 'the package mirror cannot be reached'
  }
  // dpkg does not wait. Last: it is not an error either where apt waited afterwards.
  const [, other] = said.match(/^dpkg: error: dpkg \w+ lock was locked by another process with pid (\d+)/m) ?? []
  return other ? `another package manager is at work (process ${other})` : undefined
}
