import { asUser } from '../../command/as-user.ts'
import { compileVenv } from '../../command/byte-code.ts'
import { raw, sh } from '../../command/sh.ts'
import { type Change, changes, create, type Dependency, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { venvState } from '../../facts/host/python.ts'
import { rootsAbove } from './file.ts'

// Its pip comes from the wheel that Debian's ensurepip installs too, by the system's pip where there is one: ensurepip runs
// pip from within an archive and takes twice as long. Before Python 3.12 it also brings setuptools.
const making = `python3 -m venv --clear --without-pip "$1" || exit
set -- "$1" /usr/share/python-wheels/pip-*.whl
if [ -e "$2" ] && python3 -I -c 'import sys, pip; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
PIP_CONFIG_FILE=/dev/null python3 -I -m pip --isolated --python "$1/bin/python" install --quiet --no-index --no-compile --disable-pip-version-check "$2" &&
${compileVenv(raw('"$1"')).line}
else
"$1/bin/python" -I -m ensurepip --upgrade --default-pip
fi`

/**
 * A virtual environment of the system's Python that works, owned by `user` with all its folders, in a folder of root's: pip,
 * once run by root, leaves some that the user's cannot write to. One that is broken is made anew, empty.
 */
export function venv(on: Target, path: string, options: { user: string; dependsOn?: readonly Dependency[] }): Step {
  const { user, dependsOn = [] } = options
  const hand = sh`${rootsAbove(path)} && chown -R --no-dereference ${`${user}:`} ${path}`
  // Its user cannot make it in a folder of root's, only fill it.
  const place = sh`mkdir -m 0755 ${path} && ${hand}`
  return step({
    id: `venv ${path}`,
    on,
    dependsOn,
    ask: { now: venvState(path, user) },
    plan({ now }) {
      const make = asUser(user, making, [path])
      if (!now.exists) return changes([create(`venv ${path}`, user === 'root' ? make : [place, make])], '')
      const list: Change[] = []
      if (now.owner !== user) list.push(update(`${path}/ ${now.owner} → ${user}`, hand))
      else if (now.foreign) list.push(update(`all in ${path} is of ${user}, ${now.foreign} is not`, hand))
      if (now.python === undefined) list.push(update(`venv ${path}, broken: made anew`, make, { risk: 'downtime' }))
      return changes(list, `Python ${now.python}`)
    },
  })
}
