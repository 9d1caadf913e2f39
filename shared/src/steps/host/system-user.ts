import { sh } from '../../command/sh.ts'
import { type Change, changes, create, type Dependency, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { userState } from '../../facts/host/user.ts'

/** A user that a service runs as: nobody logs in as it. `home` is only named, not made. */
export function systemUser(
  on: Target,
  name: string,
  options: { home: string; dependsOn?: readonly Dependency[] },
): Step {
  const { home, dependsOn = [] } = options
  const shell = '/usr/sbin/nologin'
  return step({
    id: `system user ${name}`,
    on,
    dependsOn,
    ask: { now: userState(name) },
    plan({ now }) {
      if (!now) {
        const group = sh`$(getent group ${name} >/dev/null && echo -g ${name} || echo --user-group)`
        const make = sh`useradd --system --no-create-home --home-dir ${home} --shell ${shell} ${group} ${name}`
        return changes([create(`system user ${name}`, make)], '')
      }
      const list: Change[] = []
      if (!/\/(nologin|false)$/.test(now.shell))
        list.push(update(`shell of ${name} → ${shell}`, sh`usermod --shell ${shell} ${name}`))
      if (now.password !== 'locked') list.push(update(`no login for ${name}`, sh`usermod --lock ${name}`))
      return changes(list, `uid ${now.uid}`)
    },
  })
}
