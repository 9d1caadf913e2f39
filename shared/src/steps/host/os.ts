import { converged, refuse, type Step, step } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { type OperatingSystem, operatingSystem } from '../../facts/host/os.ts'

/** The systems that the deployments are written for, and tested on where a lab can boot them. */
const supported: Readonly<Record<string, readonly string[]>> = { ubuntu: ['24.04'], debian: ['12', '13'] }

/** Whether the deployments know this system. */
export function isSupported({ id, version }: OperatingSystem): boolean {
  return supported[id]?.includes(version) ?? false
}

/** Refuses any system but Ubuntu 24.04 and Debian 12/13, and so stops the run before anything is changed. */
export function supportedSystem(on: Target): Step {
  return step({
    id: 'supported system',
    on,
    ask: { os: operatingSystem },
    plan({ os }) {
      if (isSupported(os)) return converged(os.assumed ? `${os.name} assumed` : os.name)
      return refuse(
        `${os.name} is not supported`,
        'Use a machine with Ubuntu 24.04, Debian 12 or Debian 13 (a droplet of the image ubuntu-24-04-x64).',
      )
    },
  })
}
