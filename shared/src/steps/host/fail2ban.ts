import { plainText } from '../../command/command.ts'
import { all, raw, sh } from '../../command/sh.ts'
import { type Change, changes, create, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { jailSettings } from '../../facts/host/fail2ban.ts'
import { fileContent } from '../../facts/host/file.ts'
import { isBegun, newestChange, unitState } from '../../facts/host/systemd.ts'
import { diffOf, writeFile } from './file.ts'

export interface JailOptions {
  /** The settings of the jail's section, written to a file that fail2ban reads after all others. */
  settings: Readonly<Record<string, string>>
  /** What the server must say of them, in its own units (seconds). */
  inForce: Readonly<Record<string, string>>
  dependsOn?: readonly Dependency[]
}

// `.local` files are read after every `.conf`, in the order of their names.
const pathOf = (jail: string) => `/etc/fail2ban/jail.d/zz-${jail}.local`

/** The server answers a second or so after systemd calls it started. */
const ready = raw(
  'i=0; until fail2ban-client ping >/dev/null 2>&1; do i=$((i+1)); [ "$i" -lt 300 ] || { journalctl -n 20 --no-pager -u fail2ban.service >&2; exit 1; }; sleep 0.1; done',
)

/** A jail of fail2ban with these settings, in force in a server that runs and starts at boot. */
export function jail(on: Target, name: string, options: JailOptions): Step {
  const path = pathOf(name)
  const content = plainText(
    `[${name}]\n${Object.entries(options.settings)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join('')}`,
  )
  return step({
    id: `fail2ban ${name}`,
    on,
    dependsOn: options.dependsOn ?? [],
    ask: {
      file: fileContent(path),
      unit: unitState('fail2ban.service'),
      newest: newestChange(['/etc/fail2ban/jail.local', '/etc/fail2ban/jail.d', '/etc/fail2ban/fail2ban.local', path]),
      settings: jailSettings(name, Object.keys(options.inForce)),
    },
    plan({ file, unit, newest, settings }, { pending }) {
      if (unit.enabled === 'masked') return refuse('fail2ban.service is masked', 'systemctl unmask fail2ban.service')
      const list: Change[] = []
      const isWritten = file?.content === content.parts.join('') && file.mode === '0644' && file.owner === 'root'
      if (!isWritten) {
        const write = writeFile(path, content, { mode: '0644', owner: 'root', group: 'root' })
        list.push((file ? update : create)(path, write, { diff: diffOf(path, file, content) }))
      }
      if (unit.enabled !== 'enabled')
        list.push(create('fail2ban at boot', sh`systemctl enable --quiet fail2ban.service`))
      const differs = Object.entries(options.inForce).find(([key, value]) => settings?.[key] !== value)
      // Of one that failed too often systemd starts no other before it is told to forget that.
      const begin = (verb: 'start' | 'restart') =>
        all(sh`{ systemctl reset-failed fail2ban.service; systemctl ${verb} fail2ban.service; }`, ready)
      if (isBegun(unit) && (!isWritten || pending.length > 0 || (newest ?? 0) > (unit.since ?? 0)))
        list.push(update('fail2ban restarted', begin('restart')))
      else if (unit.active !== 'active') list.push(create('fail2ban started', begin('start')))
      else if (differs) {
        const [key] = differs
        const is = settings ? `${key} ${settings[key]}` : `no jail ${name}`
        list.push(update(`fail2ban restarted: it has ${is}`, begin('restart')))
      }
      return changes(
        list,
        Object.entries(options.inForce)
          .map((pair) => pair.join(' '))
          .join(', '),
      )
    },
  })
}
