import { compileVenv } from '../../command/byte-code.ts'
import type { Output } from '../../command/command.ts'
import { sh } from '../../command/sh.ts'
import { type Change, changes, create, type Dependency, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { pipState } from '../../facts/host/pip.ts'

export interface PipOptions {
  readonly version: string
  /** Optional parts: `postgres` for `name[postgres]`. */
  readonly extras?: readonly string[]
  /** The virtual environment, which root owns: what runs from it cannot change it. */
  readonly venv: string
  readonly dependsOn?: readonly Dependency[]
}

/** A package of one version in a virtual environment. What pip was killed in the middle of is written anew. */
export function pipPackage(on: Target, name: string, options: PipOptions): Step {
  const { version, extras = [], venv, dependsOn = [] } = options
  const desired = `${name}${extras.length > 0 ? `[${extras.join(',')}]` : ''}==${version}`
  const pip = sh`cd / && ${`${venv}/bin/python`} -I -m pip install --no-input --disable-pip-version-check --quiet --root-user-action=ignore --no-compile`
  const compile = compileVenv(sh`${venv}`)
  return step({
    id: `pip ${name}`,
    on,
    dependsOn,
    ask: { now: pipState(venv, [name]) },
    plan({ now: { versions, broken, plain } }) {
      const list: Change[] = []
      // Without the list of its files nothing can be uninstalled, only written over.
      if (broken.length > 0)
        list.push(
          update(`half installed: ${broken.join(', ')}`, [sh`${pip} --ignore-installed --no-deps ${broken}`, compile], {
            explain,
          }),
        )
      const now = versions[name]
      const install = [sh`${pip} ${desired}`, compile]
      if (now === undefined) list.push(create(desired, install, { explain }))
      else if (now !== version) list.push(update(`${name} ${now} → ${version}`, install, { explain, risk: 'restart' }))
      else if (list.length === 0 && plain.length > 0) list.push(update(sayPlain(plain), compile))
      return changes(list, `installed ${version}`)
    },
  })
}

/** Modules without byte code, in a few words. */
export const sayPlain = (modules: readonly string[]): string =>
  `byte code of ${modules.length > 3 ? `${modules.length} modules` : modules.join(', ')}`

/** What pip means, in a line. */
function explain({ stdout, stderr }: Output): string | undefined {
  const said = stdout + stderr
  if (
    /NewConnectionError|ConnectionResetError|ReadTimeout|ConnectTimeout|ProxyError|SSLError|Network is unreachable/.test(
      said,
    )
  )
    return 'the Python package index cannot be reached'
  const unknown = said.match(/No matching distribution found for (\S+)/)?.[1]
  return unknown && `the Python package index has no ${unknown} for this Python`
}
