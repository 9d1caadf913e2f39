import { sh } from '../../command/sh.ts'
import { changes, create, type Dependency, type Question, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'

export interface StatOverrideOptions {
  readonly owner: string
  readonly group: string
  /** Four octal digits. */
  readonly mode: string
  readonly dependsOn?: readonly Dependency[]
}

/** `OWNER GROUP MODE`, as dpkg has it of a path; null where it has none. Throws where dpkg does not tell. */
const statOverrideOf = (path: string): Question<string | null> => ({
  command: sh`dpkg-statoverride --list ${path}`,
  parse({ code, stdout, stderr }) {
    // 1 alone says that there is none (dpkg-statoverride(1)).
    if (code === 127 || (code === 1 && stderr === '')) return null
    if (code !== 0) throw new Error(stderr.trim() || `dpkg-statoverride ended with ${code}`)
    // It leaves out the mode's leading zero.
    const [owner, group, mode = ''] = stdout.trim().split(' ')
    return `${owner} ${group} ${mode.padStart(4, '0')}`
  },
})

/**
 * Who owns a path of a package, whatever the package says: dpkg keeps to it at each upgrade, and a package that would give
 * the path to an account of its own finds it decided.
 */
export function statOverride(
  on: Target,
  path: string,
  { owner, group, mode, dependsOn = [] }: StatOverrideOptions,
): Step {
  const desired = `${owner} ${group} ${mode}`
  // Removed and added: what replaces one at once is called otherwise in dpkg before 1.19.
  const add = sh`dpkg-statoverride --quiet --update --add ${owner} ${group} ${mode} ${path}`
  return step({
    id: `owner of package's ${path}`,
    on,
    dependsOn,
    ask: { now: statOverrideOf(path) },
    plan({ now }) {
      if (now === null) return changes([create(`${path} is ${desired} for its package`, add)], '')
      if (now === desired) return changes([], desired)
      const replace = sh`dpkg-statoverride --quiet --remove ${path} && ${add}`
      return changes([update(`${path} is ${now} → ${desired} for its package`, replace)], '')
    },
  })
}
