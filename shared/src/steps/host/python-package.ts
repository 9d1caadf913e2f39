import { asUser } from '../../command/as-user.ts'
import { compileVenv, halfInstalled } from '../../command/byte-code.ts'
import type { Output } from '../../command/command.ts'
import { quote, raw } from '../../command/sh.ts'
import { changes, create, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type PackagePlace, type PackageState, packageState } from '../../facts/host/python-package.ts'
import { sayPlain } from './pip.ts'

export interface EditableOptions extends PackagePlace {
  /** What makes the virtual environment and the source, for the error. */
  readonly comesFrom: string
  readonly dependsOn?: readonly Dependency[]
}

/**
 * A Python package installed as editable from a folder: its code is the folder's. Installed again only where what pip
 * noted (folder, version, requirements, programs) differs from the folder's pyproject.toml, or a requirement is not met.
 */
export function editablePackage(on: Target, name: string, options: EditableOptions): Step {
  const { venv, source, user, constraints = [], comesFrom, dependsOn = [] } = options
  const install = asUser(user, installation, [venv, source, ...constraints])
  const compile = asUser(user, compileVenv(raw('"$1"')).line, [venv])
  return step({
    id: `python package ${name}`,
    on,
    dependsOn,
    unknownWhilePending: true,
    ask: { now: packageState(name, options) },
    plan({ now }) {
      if (!now.missing && now.desired === undefined)
        return refuse(`${source}/pyproject.toml describes no project`, 'Choose a ref of the repository that has one.')
      const explain = (output: Output) =>
        /bin\/python: not found|Directory .* is not installable|does not exist/i.test(output.stderr)
          ? `there is no virtual environment or no source yet: ${comesFrom}`
          : explainPip(output)
      if (!now.installed) return changes([create(`python package ${name}`, install, { explain })], '')
      const differs = difference(now, source)
      const why = differs && `python package ${name}: ${differs}`
      const plain = now.plain.length > 0 ? [update(sayPlain(now.plain), compile)] : []
      return changes(
        why ? [update(why, install, { risk: 'restart', explain })] : plain,
        `${now.installed.version}, from ${source}`,
      )
    },
  })
}

// Without the list of its files pip can uninstall nothing, only write over it: what is installed in part it shall not find.
const forgetting = `${halfInstalled}import shutil
for note in halfNotes():
    shutil.rmtree(note)`

// Of all that it fetches pip makes files first, for which a /tmp in memory can be too small.
const installation = `venv=$1 source=$2; shift 2; export TMPDIR=/var/tmp
"$venv/bin/python" -I -B -c ${quote(forgetting)} && printf '%s\\n' "$@" | "$venv/bin/python" -m pip install --no-input --disable-pip-version-check --progress-bar off --no-compile -c /dev/stdin -e "$source" && echo 'compiling the byte code' &&
${compileVenv(raw('"$venv"')).line}`

/** In what the installed package differs from its source, in a few words; undefined where it does not. */
export function difference(now: PackageState, source: string) {
  const { missing, desired, installed, editable, found, unmet, broken } = now
  if (missing) return `no ${missing}`
  if (!installed || !desired) return 'not installed'
  if (editable !== source) return `installed from ${editable ?? 'an archive'} → ${source}`
  if (!found?.startsWith(`${source}/`)) return `found ${found ? `in ${found}` : 'nowhere'} → ${source}`
  if (desired.version !== null && desired.version !== installed.version)
    return `${installed.version} → ${desired.version}`
  if (desired.requires !== null && String(desired.requires) !== String(installed.requires)) return 'other requirements'
  if (sorted(desired.scripts) !== sorted(installed.scripts)) return 'other programs'
  if (broken.length > 0) return `half installed: ${broken.join(', ')}`
  return unmet.length > 0 ? `lacks ${unmet.join(', ')}` : undefined
}

const sorted = (record: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(record).sort())

/** What pip means, in a line. */
function explainPip({ stdout, stderr }: Output): string | undefined {
  const said = stdout + stderr
  const python = said.match(/requires a different Python: (.*)/)?.[1]
  if (python) return `the package needs another Python: ${python}`
  if (
    /NewConnectionError|ConnectTimeout|Name or service not known|Temporary failure in name resolution|Network is unreachable|CERTIFICATE_VERIFY_FAILED/.test(
      said,
    )
  )
    return 'the package index (PyPI) cannot be reached'
  const conflict = said.match(/The user requested \(constraint\) (.*)/)?.[1]
  if (conflict) return `what it needs does not fit the constraint ${conflict}`
  return said.match(/^\s*ERROR: (.*)/m)?.[1]
}
