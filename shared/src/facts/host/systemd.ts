import { revertUnit } from '../../command/revert-unit.ts'
import { quote, raw, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface UnitState {
  readonly exists: boolean
  /** `active`, `inactive`, `failed`, `activating` … */
  readonly active: string
  /** `enabled`, `disabled`, `static`, `masked` …; empty for a unit without a file. */
  readonly enabled: string
  /**
   * When it last began to start, in milliseconds since 1970; undefined when it never did. Not when it became active: what
   * changes in between was read before by some.
   */
  readonly since: number | undefined
  /** Whether its files were written after systemd last read them. */
  readonly outdated: boolean
}

/** The state of a systemd unit. A host without systemd has none of it. */
export function unitState(unit: string): Question<UnitState> {
  return {
    command: sh`systemctl show --timestamp=us+utc -p LoadState,ActiveState,UnitFileState,InactiveExitTimestamp,NeedDaemonReload ${unit}`,
    parse({ code, stdout, stderr }) {
      if (code !== 0 && code !== 127) throw new Error(stderr.trim())
      const value = new Map(stdout.split('\n').map((line) => line.split(/=(.*)/s) as [string, string]))
      return {
        exists: value.get('LoadState') === 'loaded' || value.get('LoadState') === 'masked',
        active: value.get('ActiveState') ?? 'inactive',
        enabled: value.get('UnitFileState') ?? '',
        since: parseTime(value.get('InactiveExitTimestamp') ?? ''),
        outdated: value.get('NeedDaemonReload') === 'yes',
      }
    },
  }
}

/** Of a unit that shall not run: how it is there, and whether it is up in whichever way. */
export type HeldUnit = Pick<UnitState, 'exists' | 'enabled' | 'outdated'> & { readonly isUp: boolean }

/**
 * The state of a unit that shall neither run nor start at boot. One that fails and is started again changes every few
 * seconds: of that no more is told than that it must be stopped, so that a plan stays the same while it is read.
 */
export function heldUnit(unit: string): Question<HeldUnit> {
  const { command, parse } = unitState(unit)
  return {
    command,
    parse(answer) {
      const { exists, enabled, outdated, active } = parse(answer)
      return { exists, enabled, outdated, isUp: !['inactive', 'failed'].includes(active) }
    },
  }
}

/**
 * Whether it runs or is about to, by what it found when it began: one that is only starting may have read its files, and
 * a start would join that and bring nothing.
 */
export const isBegun = ({ active }: UnitState): boolean => !['inactive', 'failed', 'deactivating'].includes(active)

/**
 * When the newest of these files was last written, in milliseconds since 1970; undefined when none is there. A `*` in a
 * path stands for what a shell takes it for.
 */
export function newestChange(paths: readonly string[]): Question<number | undefined> {
  const patterns = raw(paths.map((path) => path.split('*').map(quote).join('*')).join(' '))
  return {
    command: sh`stat -c %.6Y ${patterns} 2>/dev/null || true`,
    parse: ({ stdout }) => {
      const times = stdout.split('\n').filter(Boolean).map(Number)
      return times.length === 0 ? undefined : Math.max(...times) * 1000
    },
  }
}

/** systemd's `Sun 2026-11-22 01:34:00.123456 UTC`; milliseconds with their fraction. */
function parseTime(stamp: string): number | undefined {
  const found = stamp.match(/(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)? UTC/)
  if (!found) return undefined
  return Date.parse(`${found[1]}T${found[2]}Z`) + Number(found[3] ?? 0) * 1000
}

/** Whether a revert that a killed run left armed is still to fire, by its timer or at the next boot. */
export function revertArmed(name: string): Question<boolean> {
  const unit = revertUnit(name)
  return {
    command: sh`if [ -e /etc/systemd/system/${unit}.service ] || systemctl is-active --quiet ${unit}.timer; then echo armed; fi`,
    parse: ({ stdout }) => stdout.trim() === 'armed',
  }
}
