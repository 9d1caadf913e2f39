import { raw } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** What apt would do by itself each day, all files considered: `APT::Periodic::Unattended-Upgrade` is `1`. */
export const periodicUpdates: Question<Readonly<Record<string, string>>> = {
  command: raw('apt-config dump APT::Periodic'),
  parse({ code, stdout, stderr }) {
    if (code !== 0 && code !== 127) throw new Error(stderr.trim())
    return Object.fromEntries(
      [...stdout.matchAll(/^(\S+) "(.*)";$/gm)].map(([, name = '', value = '']) => [name, value]),
    )
  },
}

const pretend = `said=$(apt-get -s -q -o Debug::NoLocking=true dist-upgrade) || exit; echo "$said"
names=$(echo "$said" | sed -n 's/^Inst \\([^ ]*\\).*/\\1/p'); [ -z "$names" ] || apt-cache policy $names`

/**
 * The packages that wait for a security update, or for any from these sites, by the package lists that the host has; apt
 * only pretends. It tells labels, but not sites: those are told by the policy of what waits.
 */
export function pendingUpdates(sites: readonly string[]): Question<readonly string[]> {
  return {
    command: { ...raw(pretend), timeoutSeconds: 120 },
    parse({ code, stdout, stderr }) {
      if (code !== 0 && code !== 127) throw new Error(stderr.trim())
      const policies = stdout.split(/^(?=\S+:$)/m)
      return [...stdout.matchAll(/^Inst (\S+) (.*)/gm)].flatMap(([, name = '', versions = '']) => {
        const policy = policies.find((text) => text.startsWith(`${name}:\n`))
        return /security/i.test(versions) || sites.some((site) => comesFrom(site, policy)) ? [name] : []
      })
    },
  }
}

/** Whether the version that a policy of apt prefers is had from this site. */
function comesFrom(site: string, policy = ''): boolean {
  const [, desired] = policy.match(/^ {2}Candidate: (\S+)/m) ?? []
  const versions = policy.split(/^(?= (?:\*{3}| {3}) \S)/m).slice(1)
  const found = versions.find((text) => text.slice(5).split(' ')[0] === desired)
  return found?.includes(`://${site}/`) ?? false
}

/** Whether an update waits for a reboot. */
export const rebootRequired: Question<boolean> = {
  command: raw('[ ! -e /run/reboot-required ] || echo required'),
  parse: ({ stdout }) => stdout.trim() === 'required',
}
