import { asUser } from '../command/as-user.ts'
import { sh } from '../command/sh.ts'
import { changes, create, type Step, step, update } from '../engine/step.ts'
import type { Target } from '../engine/target.ts'
import { venvState } from '../facts/python.ts'

/** A virtual environment of the system's Python that works, owned by `user`. One that is broken is made anew, empty. */
export function venv(on: Target, path: string, options: { user: string; after?: readonly Step[] }): Step {
  const { user, after = [] } = options
  return step({
    id: `venv ${path}`,
    on,
    after,
    ask: { now: venvState(path, user) },
    plan({ now }) {
      const make = asUser(user, 'exec python3 -m venv --clear "$1"', [path])
      if (!now.exists) return changes([create(`venv ${path}`, make)], '')
      const list =
        now.owner === user ? [] : [update(`${path}/ ${now.owner} → ${user}`, sh`chown -R ${`${user}:`} ${path}`)]
      if (now.python === undefined) list.push(update(`venv ${path}, broken: made anew`, make, { risk: 'downtime' }))
      return changes(list, `Python ${now.python}`)
    },
  })
}
