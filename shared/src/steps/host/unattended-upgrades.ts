import { converged, type Dependency, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { hasListsOf } from '../../facts/host/apt-source.ts'
import { file, fileParts } from './file.ts'
import { service } from './systemd.ts'

const periodic = `APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
`

/** Security updates by themselves every day, from the origins that the distribution gives the package. */
export function unattendedUpgrades(on: Target, options: { dependsOn?: readonly Dependency[] } = {}): Step[] {
  const { dependsOn = [] } = options
  const settings = file(on, '/etc/apt/apt.conf.d/20auto-upgrades', { content: periodic, dependsOn })
  return [
    settings,
    ...['apt-daily.timer', 'apt-daily-upgrade.timer'].map((timer) => service(on, timer, { dependsOn: [] })),
    // It only waits for a shutdown, to let a running upgrade end: nothing that it reads asks for a restart.
    service(on, 'unattended-upgrades.service', { dependsOn }),
  ]
}

export interface UpgradesOptions {
  /**
   * Whether a file of those packages is the deployment's by now. It is kept, as apt is told for all packages then: without
   * that, unattended-upgrade leaves a version that brings another such file to be upgraded by hand.
   */
  readonly keepFiles?: boolean
  readonly dependsOn?: readonly Dependency[]
}

/**
 * What comes from this site is updated by itself as well, all of it, where the host has a source there: such sources have no
 * part for security alone.
 */
export function upgradesFrom(on: Target, site: string, options: UpgradesOptions = {}): Step {
  const { keepFiles = false, dependsOn = [] } = options
  const settings = fileParts(`/etc/apt/apt.conf.d/52unattended-upgrades-${site.replaceAll('.', '-')}`, {
    content: `Unattended-Upgrade::Origins-Pattern { "site=${site}"; };
${keepFiles ? '// What was changed here of the files of a package is kept.\nDPkg::Options { "--force-confold"; };\n' : ''}`,
  })
  return step({
    id: `updates from ${site}`,
    on,
    dependsOn,
    ask: { used: hasListsOf(site), ...settings.ask },
    plan: ({ used, now }, { pending }) =>
      used || pending.length > 0 ? settings.plan({ now }) : converged('no source of the host is there'),
  })
}
