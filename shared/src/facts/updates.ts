import { raw } from '../command/sh.ts'
import type { Question } from '../engine/step.ts'

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

/** The packages that wait for a security update, by the package lists that the host has; apt only pretends. */
export const securityUpdates: Question<readonly string[]> = {
  command: raw('apt-get -s -q -o Debug::NoLocking=true dist-upgrade'),
  parse({ code, stdout, stderr }) {
    if (code !== 0 && code !== 127) throw new Error(stderr.trim())
    return [...stdout.matchAll(/^Inst (\S+) .*security/gim)].map(([, name = '']) => name)
  },
}

/** Whether an update waits for a reboot. */
export const rebootRequired: Question<boolean> = {
  command: raw('[ ! -e /run/reboot-required ] || echo required'),
  parse: ({ stdout }) => stdout.trim() === 'required',
}
