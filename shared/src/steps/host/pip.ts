import { asUser } from '../../command/as-user.ts'
import { compileVenv } from '../../command/byte-code.ts'
import type { Command, Output } from '../../command/command.ts'
import { all, raw, type Shell, sh } from '../../command/sh.ts'
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
    ask: { now: pipState(venv, [name]) },
    plan({ now: { versions, broken, plain } }) {
      const list: Change[] = []
      const now = versions[name]
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
      else if (list.length === 0 && plain.length > 0) list.push(update(sayPlain(plain), compile))
      const decision = changes(list, `installed ${version}`)
      return lock || unlocked === undefined || list.length === 0 ? decision : noting(decision, [unlocked])
    },
  })
}

const quiet = '-q --no-input --disable-pip-version-check --no-cache-dir'

/** Puts wheels into a folder of the builder's, and gives them to whoever asked as an archive on stdout. */
const handingOver = (fetch: string) => `umask 077
rm -rf "$HOME"/wheels.*
t=$(mktemp -d "$HOME/wheels.XXXXXX") || exit
trap 'rm -rf "$t"' EXIT
trap 'exit 1' HUP INT TERM
export TMPDIR="$t"
python=$1; shift
{ ${fetch}
} >&2 || exit
cd "$t/w" && tar -c -- *`

const fetchByLock = handingOver(`
"$python" -m pip download ${quiet} --require-hashes --only-binary :all: --no-deps -d "$t/w" -r "$1" &&
{ [ -z "$2" ] || "$python" -m pip install ${quiet} --no-index --no-deps --no-compile --target "$t/b" "$t"/w/setuptools-[0-9]*.whl; } &&
{ [ -z "$2" ] || PYTHONPATH="$t/b" "$python" -m pip wheel ${quiet} --require-hashes --no-binary :all: --no-build-isolation --no-deps -w "$t/w" -r "$2"; }`)

const fetchByName = handingOver(`"$python" -m pip wheel ${quiet} -w "$t/w" "$@"`)

/** By root: nothing is fetched, nothing is built, so that no code of what is installed is run. */
const unpack = '--no-index --no-input --disable-pip-version-check -q --root-user-action=ignore --no-compile'.split(' ')

/** Has the builder hand over wheels, and root install them from the folder `$d`, which it made, by `line`. */
function installing({ builder, venv }: PipOptions, program: string, args: readonly string[], line: Shell): Command {
  const python = `${venv}/bin/python`
  const { line: build, stdin } = asUser(builder, program, [python, ...args])
  const text = all(
    sh`d=$(mktemp -d /var/tmp/infra-wheels.XXXXXX)`,
    sh`trap 'rm -rf "$d"' EXIT && trap 'exit 1' HUP INT TERM`,
    sh`mkdir "$d/w"`,
    sh`${raw(build)} >"$d/tar"`,
    sh`tar -x --no-same-owner --no-same-permissions -C "$d/w" -f "$d/tar"`,
    sh`[ -z "$(find "$d/w" -mindepth 1 ! \\( -type f -name '*.whl' \\))" ]`,
    sh`cd /`,
    line,
  )
  return { line: sh`( ${text} )`.line, ...(stdin && { stdin }) }
}

function byName(options: PipOptions, desired: readonly string[], ...more: readonly string[]): Command {
  const pip = sh`${`${options.venv}/bin/python`} -I -m pip install ${unpack}`
  const args = [...more.filter((one) => one === '--no-deps'), ...desired]
  return installing(options, fetchByName, args, sh`${pip} --only-binary :all: --find-links "$d/w" ${more} ${desired}`)
}

function byLock(options: PipOptions, { wheels, sources, built }: PipLock, ...more: readonly string[]): Command {
  const pip = sh`${`${options.venv}/bin/python`} -I -m pip install ${unpack} --no-deps ${more}`
  // Checked anew: what the builder hands over is the builder's.
  const checked = sh`${pip} --only-binary :all: --require-hashes --find-links "$d/w" -r ${wheels}`
  const own = built.map((name) => sh`"$d"/w/${name.replaceAll('-', '_')}-[0-9]*.whl`)
  const rest = own.reduce((before, file) => sh`${before} ${file}`, pip)
  return installing(options, fetchByLock, [wheels, sources ?? ''], all(checked, ...(own.length > 0 ? [rest] : [])))
}

/** Modules without byte code, in a few words. */
export const sayPlain = (modules: readonly string[]): string =>
  `byte code of ${modules.length > 3 ? `${modules.length} modules` : modules.join(', ')}`

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
