import { sayOpenPort } from '@infra/shared/command/open-port'
import { type Check, check, fail, ok, warn } from '@infra/shared/engine/check'
import { jailSettings } from '@infra/shared/facts/host/fail2ban'
import { operatingSystem } from '@infra/shared/facts/host/os'
import { sshdSettings as settingsOf, sshdLines, sshdPorts } from '@infra/shared/facts/host/sshd'
import { sshdEntrance } from '@infra/shared/facts/host/sshd-entrance'
import { unitState } from '@infra/shared/facts/host/systemd'
import { ufwConfig, ufwLoaded } from '@infra/shared/facts/host/ufw'
import { pendingUpdates, periodicUpdates, rebootRequired } from '@infra/shared/facts/host/updates'
import { userState } from '@infra/shared/facts/host/user'
import { isSupported } from '@infra/shared/steps/host/os'
import { differing } from '@infra/shared/steps/host/sshd'
import { denialOf } from '@infra/shared/steps/host/sshd-entrance'
import { foreignRules, isLoaded, isOpen, portsOf, sayRule } from '@infra/shared/steps/host/ufw'
import type { PodContext } from '../context.ts'
import { openPorts, sshBan, sshdSettings, vendorOrigins } from '../host/security.ts'
import { sudoBeyond } from '../host/sudo.ts'

const again = 'npm run deploy -w pod -- --tags security'

/** What the script `security` leaves behind, seen from inside the host. */
export const securityChecks = (context: PodContext): readonly Check[] => [
  ...accessChecks(context),
  ...updateChecks(context),
]

/** Whoever is in one of these becomes root by it. */
const powerful = new Set(['sudo', 'admin', 'docker', 'lxd', 'disk', 'shadow'])

/** Who gets in. */
const accessChecks = ({ env, host }: PodContext): readonly Check[] => [
  check(host, {
    id: 'security.system',
    about: 'a supported operating system',
    remedy: 'Move to Ubuntu 24.04, Debian 12 or Debian 13.',
    ask: { os: operatingSystem },
    judge: ({ os }) => (isSupported(os) ? ok(os.name) : fail(os.name)),
  }),
  check(host, {
    id: 'security.firewall',
    about: 'the firewall lets in ssh, web, Matrix federation and VALENCE_EXTRA_PORTS, nothing else',
    remedy: again,
    ask: { config: ufwConfig, loaded: ufwLoaded, sshd: sshdPorts },
    judge({ config, loaded, sshd }) {
      if (!config?.enabled || !loaded[4].active) return fail('off')
      if (!isLoaded(config, loaded)) return fail('the kernel has other rules than ufw')
      const extra = env.VALENCE_EXTRA_PORTS
      const ports = portsOf({ tcp: openPorts, extra, ssh: env.VALENCE_SSH_PORT }, sshd)
      const closed = ports.filter((port) => !isOpen(config, port))
      if (closed.length > 0) return fail(`closed: ${closed.map(sayOpenPort).join(' ')}`)
      const foreign = foreignRules(config, ports).map(([rule]) => sayRule(rule))
      return foreign.length > 0 ? fail(foreign.join(', ')) : ok(ports.map(sayOpenPort).join(' '))
    },
  }),
  check(host, {
    id: 'security.sshd',
    about: 'only keys log in, and valence by its own',
    remedy: again,
    ask: {
      now: settingsOf(['root', 'valence'], Object.keys(sshdSettings)),
      entrance: sshdEntrance(['valence']),
      lines: sshdLines,
      socket: unitState('ssh.socket'),
    },
    judge({ now, entrance, lines, socket }) {
      const wrong = now ? differing(now, sshdSettings) : 'no sshd'
      if (wrong) return fail(wrong)
      const login = { user: 'valence', settings: {}, lines: lines ?? [], groups: true }
      const denial = entrance && denialOf({ ...login, entrance, socket: socket.active === 'active' })
      return denial ? fail(denial.reason) : ok('passwords off, for root too')
    },
  }),
  check(host, {
    id: 'security.sudo',
    about: 'user valence becomes root by no command',
    severity: 'warn',
    remedy: `${again}; for rules of your own: sudo -l -U valence lists them`,
    ask: { now: userState('valence'), beyond: sudoBeyond },
    judge({ now, beyond }) {
      if (env.VALENCE_SUDO === 'full') return ok('may all by group sudo (VALENCE_SUDO)')
      const groups = now?.groups.filter((group) => powerful.has(group)) ?? []
      const found = [...groups.map((group) => `in group ${group}`), ...beyond.map((command) => `may run ${command}`)]
      return found.length > 0 ? warn(found.join(', ')) : ok('only looks, by exact commands')
    },
  }),
  check(host, {
    id: 'security.fail2ban',
    about: 'fail2ban guards sshd: 3 attempts, 1 hour',
    remedy: again,
    ask: { unit: unitState('fail2ban.service'), now: jailSettings('sshd', Object.keys(sshBan(22).inForce)) },
    judge({ unit, now }) {
      if (unit.active !== 'active') return fail(`fail2ban.service is ${unit.active}`)
      const said = Object.entries(now ?? {}).map((pair) => pair.join(' '))
      const wrong = Object.entries(sshBan(22).inForce).some(([key, value]) => now?.[key] !== value)
      if (wrong) return fail(said.join(', ') || 'no jail sshd')
      return unit.enabled === 'enabled' ? ok(said.join(', ')) : fail('does not start at boot')
    },
  }),
]

/** What keeps the system up to date. */
const updateChecks = ({ host }: PodContext): readonly Check[] => [
  check(host, {
    id: 'security.updates',
    about: 'security updates by themselves, daily',
    remedy: `${again}; if it stays: grep -rn Periodic /etc/apt/apt.conf.d`,
    ask: {
      now: periodicUpdates,
      unit: unitState('unattended-upgrades.service'),
      timer: unitState('apt-daily-upgrade.timer'),
    },
    judge({ now, unit, timer }) {
      const off = ['Update-Package-Lists', 'Unattended-Upgrade'].find(
        (name) => (now[`APT::Periodic::${name}`] ?? '0') === '0',
      )
      if (off || now['APT::Periodic::Enable'] === '0') return fail(`APT::Periodic::${off ?? 'Enable'} is off`)
      if (timer.active !== 'active') return fail(`apt-daily-upgrade.timer is ${timer.active}`)
      return unit.active === 'active' ? ok('on') : fail(`unattended-upgrades.service is ${unit.active}`)
    },
  }),
  check(host, {
    id: 'security.pending',
    about: 'no security update waits, and none of Synapse and PostgreSQL by their makers',
    remedy:
      'On the host: sudo unattended-upgrade; for what that leaves, sudo apt-get upgrade; then reboot if it asks for it.',
    ask: { updates: pendingUpdates(Object.values(vendorOrigins)), reboot: rebootRequired },
    judge({ updates, reboot }) {
      if (reboot) return warn('a reboot is required')
      return updates.length > 0 ? warn(`${updates.length}: ${updates.slice(0, 5).join(', ')}`) : ok('none')
    },
  }),
]
