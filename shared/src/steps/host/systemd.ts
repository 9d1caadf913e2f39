import type { Output } from '../../command/command.ts'
import { type Shell, sh } from '../../command/sh.ts'
import {
  type Change,
  changes,
  create,
  type Dependency,
  type Risk,
  refuse,
  remove,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { heldUnit, isBegun, newestChange, unitState } from '../../facts/host/systemd.ts'

export interface ServiceOptions {
  /** Files that it reads when it starts (`*` as in a shell): one newer than its start asks for a restart. */
  reads?: readonly string[]
  /** The steps that write those files or install it. */
  dependsOn?: readonly Dependency[]
  risk?: Risk
  /** A check that must pass before a restart: a broken configuration keeps the old process serving. */
  validate?: Shell
  /** Waits until it answers, after a start: systemd may call it started before. */
  ready?: Shell
  /** What a failed start means, in a line: it has the last lines of the journal. */
  explain?(output: Output): string | undefined
}

/**
 * A systemd unit that runs and starts at boot. Whether it needs a restart follows from what is there, its start being
 * older than its files: a run that died in between heals on the next.
 */
export function service(on: Target, unit: string, options: ServiceOptions = {}): Step {
  const { reads = [], dependsOn = [], risk = 'restart', validate, ready, explain } = options
  const more = explain && { explain }
  const bring = (verb: 'start' | 'restart') => {
    const line = sh`systemctl ${verb} ${unit}`
    const journal = sh`{ journalctl -q -u ${unit} -n 20 -o cat >&2; exit 1; }`
    return [...(validate ? [validate] : []), ready ? sh`{ ${line} && ${ready}; } || ${journal}` : line]
  }
  return step({
    id: `service ${unit}`,
    on,
    dependsOn,
    ask: { unit: unitState(unit), newest: newestChange(reads.length === 0 ? ['/nonexistent'] : reads) },
    plan({ unit: now, newest }, { pending }) {
      if (now.enabled === 'masked')
        return refuse(`${unit} is masked`, `If that is not wanted any more: systemctl unmask ${unit}`)
      const list: Change[] = []
      if (now.outdated) list.push(update(`${unit} read anew by systemd`, sh`systemctl daemon-reload`))
      if (now.enabled !== 'enabled' && now.enabled !== 'static' && now.enabled !== 'alias') {
        list.push(create(`${unit} at boot`, sh`systemctl enable --quiet ${unit}`))
      }
      if (isBegun(now) && (pending.length > 0 || (newest ?? 0) > (now.since ?? 0))) {
        list.push(update(`${unit} restarted`, bring('restart'), { risk, ...more }))
      } else if (now.active !== 'active') {
        list.push(create(`${unit} started`, bring('start'), { ...more }))
      }
      return changes(list, `${now.active}, ${now.enabled}`)
    },
  })
}

/** A systemd unit that neither runs nor starts at boot; one that is not there is as good. */
export function stopped(
  on: Target,
  unit: string,
  options: { dependsOn?: readonly Dependency[]; risk?: Risk } = {},
): Step {
  const { dependsOn = [], risk = 'safe' } = options
  return step({
    id: `no ${unit}`,
    on,
    dependsOn,
    ask: { now: heldUnit(unit) },
    plan({ now: { isUp, enabled } }) {
      const list: Change[] = []
      if (enabled === 'enabled') list.push(remove(`${unit} at boot`, sh`systemctl disable --quiet ${unit}`))
      if (isUp) list.push(remove(`${unit} stopped`, sh`systemctl stop ${unit}`, { risk }))
      return changes(list, `not started${enabled ? `, ${enabled}` : ''}`)
    },
  })
}
