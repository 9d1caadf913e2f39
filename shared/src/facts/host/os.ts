import { raw } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface OperatingSystem {
  /** os-release's ID: `ubuntu`, `debian`. */
  readonly id: string
  /** VERSION_ID: `24.04`, `13`; empty for a rolling release. */
  readonly version: string
  /** VERSION_CODENAME: `noble`, `trixie`. */
  readonly codename: string
  /** PRETTY_NAME, for people. */
  readonly name: string
  /** True of a blank host, which will be made from the image that is assumed here. */
  readonly assumed: boolean
}

/** What a host that does not exist yet will run: the image that the pod's droplet is made from. */
const future: OperatingSystem = {
  id: 'ubuntu',
  version: '24.04',
  codename: 'noble',
  name: 'Ubuntu 24.04 LTS',
  assumed: true,
}

/** The operating system by /etc/os-release. A blank host counts as Ubuntu 24.04. */
export const operatingSystem: Question<OperatingSystem> = {
  command: raw('cat /etc/os-release'),
  parse({ code, stdout }) {
    if (code === 127) return future
    // A shell reads it as well (os-release(5)): of two the last, without what follows the word.
    const value = new Map(stdout.split('\n').map((line) => line.trim().split(/=(.*)/s) as [string, string]))
    const word = (name: string) =>
      (value.get(name) ?? '')
        .replace(/^(?:(["'])((?:\\.|(?!\1).)*)\1|([^\s"'#]*))(?:\s.*)?$/, '$2$3')
        .replace(/\\(?=["'$`\\])/g, '')
    return {
      id: word('ID') || 'unknown',
      version: word('VERSION_ID'),
      codename: word('VERSION_CODENAME'),
      name: word('PRETTY_NAME') || word('ID') || 'a system without /etc/os-release',
      assumed: false,
    }
  },
}
