import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface TimezoneState {
  /** Where /etc/localtime leads (`Europe/Zurich`); undefined for a file that is not a link into the database. */
  readonly zone: string | undefined
  /** What /etc/timezone says, where there is one: old programs read that. */
  readonly named: string | undefined
  /** Whether the host's time zone database has the desired zone; undefined while it has no database. */
  readonly known: boolean | undefined
}

const database = '/usr/share/zoneinfo'

/** The host's time zone by localtime(5), and whether it knows the zone `desired`. No /etc/localtime means UTC. */
export function timezoneState(desired: string): Question<TimezoneState> {
  const file = `${database}/${desired}`
  return {
    command: sh`[ -d ${database} ] && { [ -f ${file} ] && echo known || echo unknown; } || echo nothing; cat /etc/timezone 2>/dev/null || echo; [ -e /etc/localtime ] || echo UTC; readlink /etc/localtime`,
    parse({ code, stdout }) {
      const [known, named, link] = code === 127 ? [] : stdout.split('\n').map((line) => line.trim())
      return {
        zone: code === 127 || link === 'UTC' ? 'UTC' : link?.match(/\/zoneinfo\/(.+)$/)?.[1],
        named: named || undefined,
        known: known === 'known' ? true : known === 'unknown' ? false : undefined,
      }
    },
  }
}
