import { sh } from '../../command/sh.ts'
import { changes, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { timezoneState } from '../../facts/host/timezone.ts'

/** The host's time zone, a name of the IANA database. */
export function timezone(
  on: Target,
  zone: string,
  { dependsOn = [] }: { dependsOn?: readonly Dependency[] } = {},
): Step {
  return step({
    id: 'timezone',
    on,
    dependsOn,
    ask: { now: timezoneState(zone) },
    plan({ now }, { pending }) {
      if (now.known === false && pending.length === 0) {
        return refuse(
          `the host knows no time zone ${zone}`,
          'timedatectl list-timezones lists them. Old names such as US/Eastern are in the package tzdata-legacy.',
        )
      }
      if (same(now.zone, zone) && (now.named === undefined || same(now.named, zone))) return changes([], zone)
      // What timedatectl would do, but it needs a running D-Bus. The link changes in one step.
      const set = sh`ln -sfn ${`/usr/share/zoneinfo/${zone}`} /etc/.localtime && mv -fT /etc/.localtime /etc/localtime && { [ ! -e /etc/timezone ] || echo ${zone} >/etc/timezone; }`
      const from = same(now.zone, zone) ? now.named : (now.zone ?? 'a file of its own')
      return changes([update(`time zone ${from} → ${zone}`, set)], '')
    },
  })
}

/** Whether two names mean one zone: Debian calls it Etc/UTC, systemd UTC. */
export const same = (one: string | undefined, other: string) => canonical(one) === canonical(other)
const canonical = (zone: string | undefined) => zone?.replace(/^Etc\/(UTC)$/, '$1')
