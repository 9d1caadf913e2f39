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
  ({ env, host }: PodContext) => {
    const system = supportedSystem(host)
    // nftables: what fail2ban bans with on Debian 13 and Ubuntu 24.04, though it does not depend on it.
    const packages = aptPackages(
      host,
      ['ufw', 'fail2ban', 'python3-systemd', 'nftables', 'unattended-upgrades', 'sudo'],
      { after: [system] },
    )
    const valence = user(host, 'valence', { groups: ['sudo'], after: [packages] })
    const keys = podPublicKeys(env)
    const rootKeys = authorized(host, 'root', keys)
    const valenceKeys = authorized(host, 'valence', keys, { after: [valence] })
    return [
      system,
      packages,
      valence,
      rootKeys,
      valenceKeys,
      sshd(host, {
        dropIn: '00-valence.conf',
        settings: sshdSettings,
        users: ['root', 'valence'],
        login: env.VALENCE_SSH_USER,
        after: [rootKeys, valenceKeys],
      }),
      firewall(host, { tcp: openPorts, ssh: env.VALENCE_SSH_PORT, after: [packages] }),
      jail(host, 'sshd', { ...sshBan(env.VALENCE_SSH_PORT), after: [packages] }),
      ...unattendedUpgrades(host, { after: [packages] }),
    ]
  },
)

standalone(import.meta.url)
