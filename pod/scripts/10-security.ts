import { standalone } from '@infra/shared/cli/standalone'
import { script } from '@infra/shared/engine/script'
import { aptPackages } from '@infra/shared/steps/host/apt'
import { jail } from '@infra/shared/steps/host/fail2ban'
import { supportedSystem } from '@infra/shared/steps/host/os'
import { sshd } from '@infra/shared/steps/host/sshd'
import { firewall } from '@infra/shared/steps/host/ufw'
import { unattendedUpgrades } from '@infra/shared/steps/host/unattended-upgrades'
import { authorized, user } from '@infra/shared/steps/host/user'
import type { PodContext } from '../context.ts'
import { podPublicKeys } from '../env/env.ts'
import { openPorts, sshBan, sshdSettings } from '../host/security.ts'

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
    const valence = add(user(host, 'valence', { groups: ['sudo'], dependsOn: [packages] }))
    const keys = podPublicKeys(env)
    const rootKeys = add(authorized(host, 'root', keys))
    const valenceKeys = add(authorized(host, 'valence', keys, { dependsOn: [valence] }))
    add(
      sshd(host, {
        dropIn: '00-valence.conf',
        settings: sshdSettings,
        users: ['root', 'valence'],
        login: env.VALENCE_SSH_USER,
        dependsOn: [rootKeys, valenceKeys],
      }),
    )
    add(firewall(host, { tcp: openPorts, ssh: env.VALENCE_SSH_PORT, dependsOn: [packages] }))
    add(jail(host, 'sshd', { ...sshBan(env.VALENCE_SSH_PORT), dependsOn: [packages] }))
    add(unattendedUpgrades(host, { dependsOn: [packages] }))
  },
)

standalone(import.meta.url)
