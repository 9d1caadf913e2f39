import { standalone } from '@infra/shared/cli/standalone'
import { sh } from '@infra/shared/command/sh'
import { script } from '@infra/shared/engine/script'
import { refuse, step } from '@infra/shared/engine/step'
import type { Target } from '@infra/shared/engine/target'
import { aptPackages } from '@infra/shared/steps/host/apt'
import { jail } from '@infra/shared/steps/host/fail2ban'
import { file } from '@infra/shared/steps/host/file'
import { supportedSystem } from '@infra/shared/steps/host/os'
import { sshd } from '@infra/shared/steps/host/sshd'
import { firewall } from '@infra/shared/steps/host/ufw'
import { unattendedUpgrades } from '@infra/shared/steps/host/unattended-upgrades'
import { authorized, user } from '@infra/shared/steps/host/user'
import type { PodContext } from '../context.ts'
import { podPublicKeys } from '../env/env.ts'
import { openPorts, sshBan, sshdSettings } from '../host/security.ts'
import { sudoersOf, sudoRules } from '../host/sudo.ts'
import { user as valenceUser } from '../valence/valence.ts'

export default script(
  'security',
  { about: 'who may come in, and how: firewall, sshd, fail2ban, updates' },
  ({ env, host }: PodContext, add) => {
    const system = add(supportedSystem(host))
    // nftables: what fail2ban bans with on Debian 13 and Ubuntu 24.04, though it does not depend on it.
    const packages = add(
      aptPackages(host, ['ufw', 'fail2ban', 'python3-systemd', 'nftables', 'unattended-upgrades', 'sudo'], {
        dependsOn: [system],
      }),
    )
    const isFull = env.VALENCE_SUDO === 'full'
    if (!isFull && env.VALENCE_SSH_USER === valenceUser) add(keepsItsWay(host))
    const rules = add(
      file(host, sudoRules, {
        content: sudoersOf(env.VALENCE_SUDO),
        mode: '0440',
        validate: (temp) => sh`visudo -cqf ${temp}`,
        dependsOn: [packages],
      }),
    )
    const groups = isFull ? { groups: ['sudo'] } : { without: withoutSudo }
    const valence = add(user(host, valenceUser, { ...groups, dependsOn: [packages, rules] }))
    const keys = podPublicKeys(env)
    const rootKeys = add(authorized(host, 'root', keys))
    const valenceKeys = add(authorized(host, 'valence', keys, { dependsOn: [valence] }))
    add(
      sshd(host, {
        dropIn: '00-valence.conf',
        settings: sshdSettings,
        users: ['root', 'valence'],
        entering: ['valence'],
        login: env.VALENCE_SSH_USER,
        dependsOn: [rootKeys, valenceKeys],
      }),
    )
    add(
      firewall(host, {
        tcp: openPorts,
        extra: env.VALENCE_EXTRA_PORTS,
        keptBy: 'VALENCE_EXTRA_PORTS',
        ssh: env.VALENCE_SSH_PORT,
        dependsOn: [packages],
      }),
    )
    add(jail(host, 'sshd', { ...sshBan(env.VALENCE_SSH_PORT), dependsOn: [packages] }))
    add(unattendedUpgrades(host, { dependsOn: [packages] }))
  },
)

const withoutSudo = {
  groups: ['sudo'],
  instead: `it keeps the commands of ${sudoRules}, root logs in by the same keys; VALENCE_SUDO=full leaves it in`,
}

/** A deployment that works by valence's own sudo would take it away from under itself: the run stops before any change. */
const keepsItsWay = (on: Target) =>
  step({
    id: 'way in as root',
    on,
    ask: {},
    plan: () =>
      refuse(
        'this deployment logs in as valence (VALENCE_SSH_USER) and works by its sudo, which VALENCE_SUDO=commands takes away',
        'Log in as root, who has the same keys, or as another user with sudo: VALENCE_SSH_USER. VALENCE_SUDO=full leaves valence in group sudo.',
      ),
  })

standalone(import.meta.url)
