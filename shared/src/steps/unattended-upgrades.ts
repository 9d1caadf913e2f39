import type { Step } from '../engine/step.ts'
import type { Target } from '../engine/target.ts'
import { file } from './file.ts'
import { service } from './systemd.ts'

const periodic = `APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
`

/** Security updates by themselves every day, from the origins that the distribution gives the package. */
export function unattendedUpgrades(on: Target, options: { after?: readonly Step[] } = {}): Step[] {
  const { after = [] } = options
  const settings = file(on, '/etc/apt/apt.conf.d/20auto-upgrades', { content: periodic, after })
  return [
    settings,
    ...['apt-daily.timer', 'apt-daily-upgrade.timer'].map((timer) => service(on, timer, { after: [] })),
    // It only waits for a shutdown, to let a running upgrade end: nothing that it reads asks for a restart.
    service(on, 'unattended-upgrades.service', { after }),
  ]
}
