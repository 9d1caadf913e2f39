import { asUser } from '../../command/as-user.ts'
import { compileVenv, mostNames } from '../../command/byte-code.ts'
import type { Command, Output } from '../../command/command.ts'
import { all, raw, sh } from '../../command/sh.ts'
import { type Change, changes, create, type Dependency, noting, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { pipState } from '../../facts/host/pip.ts'

/** Two files of requirements on the host, with versions and hashes of everything: setuptools too, which builds. */
export interface PipLock {
  /** What comes as wheels. */
  readonly wheels: string
  /** What is built from its source, by the setuptools of the other file; needs nothing else. */
  readonly sources?: string
  /** The names in both, as pip compares them. */
  readonly names: readonly string[]
  /** Those of the second. */
  readonly built: readonly string[]
}

export interface PipOptions {
  readonly version: string
  /** Optional parts: `postgres` for `name[postgres]`. */
  readonly extras?: readonly string[]
  /** The virtual environment, which root owns: what runs from it cannot change it. */
  readonly venv: string
  /** The account, with a home of its own and without rights, that fetches and builds. */
  readonly builder: string
  /** The hashes of all that is installed; without it, what the index has is believed, and `unlocked` says why. */
  readonly lock?: PipLock | undefined
  readonly unlocked?: string
  readonly dependsOn?: readonly Dependency[]
}

/**
 * A package of one version in a virtual environment. The account `builder` fetches and builds, and hands over wheels; root
 * only unpacks those, by their hashes where there is a lock. What pip was killed in the middle of is written anew.
 */
export function pipPackage(on: Target, name: string, options: PipOptions): Step {
  const { version, extras = [], venv, lock, unlocked, dependsOn = [] } = options
  const desired = `${name}${extras.length > 0 ? `[${extras.join(',')}]` : ''}==${version}`
  const compile = compileVenv(sh`${venv}`)
  const install = lock ? byLock(options, lock) : byName(options, [desired])
  const isLocked = (broken: string) => lock?.names.includes(broken.replace(/==.*/, '').toLowerCase()) ?? false
  return step({
    id: `pip ${name}`,
    on,
    dependsOn,
    // What is built comes after the wheels: a run may have ended in between.
    ask: { now: pipState(venv, [name, ...(lock?.built ?? [])]) },
    plan({ now: { versions, broken, plain } }) {
      const list: Change[] = []
      const now = versions[name]
      const absent = lock?.built.filter((one) => versions[one] === undefined) ?? []
      const [locked, loose] = [broken.filter(isLocked), broken.filter((one) => !isLocked(one))]
      // Without the list of its files nothing can be uninstalled, only written over.
      if (loose.length > 0) {
        const again = byName(options, loose, '--ignore-installed', '--no-deps')
        list.push(update(`half installed: ${loose.join(', ')}`, [again, compile], { explain }))
      }
      if (lock && locked.length > 0) {
        const again = byLock(options, lock, '--ignore-installed')
        list.push(update(`half installed: ${locked.join(', ')}`, [again, compile], { explain }))
      } else if (now === undefined) list.push(create(desired, [install, compile], { explain }))
      else if (now !== version)
        list.push(update(`${name} ${now} → ${version}`, [install, compile], { explain, risk: 'restart' }))
      else if (absent.length > 0)
        list.push(create(`${absent.join(', ')}, for ${name}`, [install, compile], { explain }))
      else if (list.length === 0 && plain.length > 0) list.push(update(sayPlain(plain), compile))
      const decision = changes(list, `installed ${version}`)
      return lock || unlocked === undefined || list.length === 0 ? decision : noting(decision, [unlocked])
    },
  })
}

const quiet = '-q --no-input --disable-pip-version-check --no-cache-dir'

/** Puts wheels into a folder of the builder's, and gives them to whoever asked as an archive on stdout. */
const handingOver = (name: string, fetch: string) => `umask 077
rm -rf "$HOME"/${name}.*
t=$(mktemp -d "$HOME/${name}.XXXXXX") || exit
trap 'rm -rf "$t"' EXIT
trap 'exit 1' HUP INT TERM
export TMPDIR="$t"
python=$1; shift
{ ${fetch}
} >&2 || exit
cd "$t/w" && tar -c -- *`

// Two parts, by $1, that run at once. What is built needs nothing but setuptools, and gets no symbols for a debugger:
// they take half the compiler's time.
const fetchByLock = `part=$1; shift
case $part in
wheels)
${handingOver('wheels', `"$python" -m pip download ${quiet} --require-hashes --only-binary :all: --no-deps -d "$t/w" -r "$1"`)} ;;
sources)
${handingOver(
  'sources',
  `
sed -n '/^setuptools==/,/[^\\\\]$/p' "$1" >"$t/lock" &&
"$python" -m pip download ${quiet} --require-hashes --only-binary :all: --no-deps -d "$t/s" -r "$t/lock" &&
"$python" -m zipfile -e "$t"/s/setuptools-[0-9]*.whl "$t/b" &&
PYTHONPATH="$t/b" CFLAGS=-g0 "$python" -m pip wheel ${quiet} --require-hashes --no-binary :all: --no-build-isolation --no-deps -w "$t/w" -r "$2"`,
)} ;;
esac`

const fetchByName = handingOver('wheels', `"$python" -m pip wheel ${quiet} -w "$t/w" "$@"`)

/** By root: nothing is fetched, nothing is built, so that no code of what is installed is run. */
const unpack = '--no-index --no-input --disable-pip-version-check -q --root-user-action=ignore --no-compile'.split(' ')

/** Root's own folder `$d` for what is handed over, which goes with the shell. */
const room = all(
  sh`d=$(mktemp -d /var/tmp/infra-wheels.XXXXXX)`,
  sh`trap '[ -z "\${building-}" ] || { kill "$building" 2>/dev/null; wait; }; rm -rf "$d"' EXIT`,
  sh`trap 'exit 1' HUP INT TERM`,
)

/** Takes the archive `$d/NAME.tar` of the builder into `$d/NAME`: wheels and nothing else. */
const taken = (name: string) => {
  const [folder, archive] = [raw(`"$d/${name}"`), raw(`"$d/${name}.tar"`)]
  return all(
    sh`mkdir ${folder}`,
    sh`tar -x --no-same-owner --no-same-permissions -C ${folder} -f ${archive}`,
    sh`[ -z "$(find ${folder} -mindepth 1 ! \\( -type f -name '*.whl' \\))" ]`,
  )
}

function byName({ builder, venv }: PipOptions, desired: readonly string[], ...more: readonly string[]): Command {
  const python = `${venv}/bin/python`
  const { line, stdin } = asUser(builder, fetchByName, [
    python,
    ...more.filter((one) => one === '--no-deps'),
    ...desired,
  ])
  const pip = sh`${python} -I -m pip install ${unpack} --only-binary :all: --find-links "$d/wheels" ${more} ${desired}`
  const text = all(room, sh`${raw(line)} >"$d/wheels.tar"`, taken('wheels'), sh`cd /`, pip)
  return { line: sh`( ${text} )`.line, ...(stdin && { stdin }) }
}

/**
 * While the builder builds, root unpacks the wheels, by their hashes (what is handed over is the builder's), and gives
 * them their byte code.
 */
function byLock({ builder, venv }: PipOptions, lock: PipLock, ...more: readonly string[]): Command {
  const { wheels, sources, built } = lock
  const python = `${venv}/bin/python`
  const { line: fetch, stdin } = asUser(builder, fetchByLock, ['wheels', python, wheels])
  const { line: build } = asUser(builder, fetchByLock, ['sources', python, wheels, sources ?? ''])
  // The program is on stdin, and two shells read it.
  const run = (line: string, name: string) => sh`printf '%s\\n' "$program" | ${raw(line)} >${raw(`"$d/${name}.tar"`)}`
  const pip = sh`${python} -I -m pip install ${unpack} --no-deps ${more}`
  const own = built.map((name) => sh`"$d"/sources/${name.replaceAll('-', '_')}-[0-9]*.whl`)
  const text = all(
    room,
    sh`program=$(cat)`,
    ...(sources ? [sh`{ ${run(build, 'sources')} & }`, sh`building=$!`] : []),
    run(fetch, 'wheels'),
    taken('wheels'),
    sh`cd /`,
    sh`${pip} --only-binary :all: --require-hashes --find-links "$d/wheels" -r ${wheels}`,
    ...(sources ? [compileVenv(sh`${venv}`), sh`wait "$building"`, sh`building=`, taken('sources')] : []),
    ...(own.length > 0 ? [own.reduce((before, file) => sh`${before} ${file}`, pip)] : []),
  )
  return { line: sh`( ${text} )`.line, ...(stdin && { stdin }) }
}

/** Modules without byte code, in a few words. */
export function sayPlain(modules: readonly string[]): string {
  const many = modules.length < mostNames ? `${modules.length} modules` : `${mostNames} modules or more`
  return `byte code of ${modules.length > 3 ? many : modules.join(', ')}`
}

/** What pip means, in a line. */
function explain({ stdout, stderr }: Output): string | undefined {
  const said = stdout + stderr
  const [, other] = said.match(/DO NOT MATCH THE HASHES[\s\S]*?\n\s+(\S+)(?: \([^)]*\))? from/) ?? []
  if (other) return `${other} is not the file that the lock has the hash of: it was not installed`
  if (
    /NewConnectionError|ConnectionResetError|ReadTimeout|ConnectTimeout|ProxyError|SSLError|Network is unreachable/.test(
      said,
    )
  )
    return 'the Python package index cannot be reached'
  const unknown = said.match(/No matching distribution found for (\S+)/)?.[1]
  return unknown && `the Python package index has no ${unknown} for this Python`
}
