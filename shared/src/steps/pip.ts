import type { Output } from '../command/command.ts'
import { sh } from '../command/sh.ts'
import { changes, create, type Step, step, update } from '../engine/step.ts'
import type { Target } from '../engine/target.ts'
import { pipVersions } from '../facts/pip.ts'

export interface PipOptions {
  readonly version: string
  /** Optional parts: `postgres` for `name[postgres]`. */
  readonly extras?: readonly string[]
  /** The virtual environment, which root owns: what runs from it cannot change it. */
  readonly venv: string
  readonly after?: readonly Step[]
}

/** A package of one version in a virtual environment. What pip was killed in the middle of is installed anew. */
export function pipPackage(on: Target, name: string, options: PipOptions): Step {
  const { version, extras = [], venv, after = [] } = options
  const wish = `${name}${extras.length > 0 ? `[${extras.join(',')}]` : ''}==${version}`
  return step({
    id: `pip ${name}`,
    on,
    after,
    ask: { versions: pipVersions(venv, [name]) },
    plan({ versions }) {
      const now = versions[name]
      if (now === version) return changes([], `installed ${version}`)
      // Packages that a killed pip left without their list of files cannot be uninstalled, only written over.
      const pip = sh`cd / && ${`${venv}/bin/python`} -I -m pip install --no-input --disable-pip-version-check --quiet --root-user-action=ignore`
      const install = sh`${pip} ${wish} || ${pip} --ignore-installed ${wish}`
      const change =
        now === undefined
          ? create(wish, install, { explain })
          : update(`${name} ${now} → ${version}`, install, { explain, risk: 'restart' })
      return changes([change], '')
    },
  })
}

/** What pip means, in a line. */
function explain({ stdout, stderr }: Output): string | undefined {
  const said = stdout + stderr
  const unknown = said.match(/No matching distribution found for (\S+)/)?.[1]
  if (/(Connection|NewConnection|ReadTimeout|ProxyError|SSLError|ConnectTimeout)/.test(said))
    return 'the Python package index cannot be reached'
  return unknown && `the Python package index has no ${unknown} for this Python`
}
