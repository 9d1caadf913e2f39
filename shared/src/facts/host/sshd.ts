import type { Output } from '../../command/command.ts'
import { raw, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export const sshdConfig = '/etc/ssh/sshd_config'
export const sshdFolder = '/etc/ssh/sshd_config.d'

/** What starts sshd with a configuration of its own after a restart locked us out; gone at the next boot. */
export const rescueUnit = '/run/systemd/system/ssh.service.d/infra-rescue.conf'
export const rescueConfig = '/run/infra/rescue/sshd_config'

/** Whether sshd was started that way: then its files are not in force. */
export const sshdRescued: Question<boolean> = {
  command: sh`[ ! -e ${rescueUnit} ] || echo rescued`,
  parse: ({ stdout }) => stdout.trim() === 'rescued',
}

/** A line of sshd's configuration that sets something, as found in the files. */
export interface SshdLine {
  readonly path: string
  readonly number: number
  /** The whole line as it stands there. */
  readonly text: string
  /** Lower case. */
  readonly keyword: string
  readonly value: string
  /** The condition of the Match block that it stands in. */
  readonly match: string | undefined
}

/**
 * The lines of sshd_config and its drop-ins that say anything, each file in its order, the drop-ins in the order in
 * which sshd reads them. Null where there is no sshd.
 */
export const sshdLines: Question<readonly SshdLine[] | null> = {
  command: raw(
    `[ -f ${sshdConfig} ] && grep -HnE '^[[:space:]]*[A-Za-z]' ${sshdConfig} ${sshdFolder}/*.conf 2>/dev/null; true`,
  ),
  parse({ code, stdout }) {
    if (code === 127 || stdout === '') return null
    let [file, match]: [string, string | undefined] = ['', undefined]
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((row) => {
        const [, path = '', number = '', text = ''] = row.match(/^([^:]+):(\d+):(.*)$/) ?? []
        if (path !== file) [file, match] = [path, undefined]
        const [, word = '', rest = ''] = text.match(/^\s*(\w+)[\s=]*(.*)$/) ?? []
        const keyword = aliases[word.toLowerCase()] ?? word.toLowerCase()
        const value = rest
          .replace(/\s+#.*$/, '')
          .replace(/^"(.*)"$/, '$1')
          .trim()
        if (keyword === 'match') match = value
        return {
          ...{ path, number: Number(number), text, keyword, value },
          match: keyword === 'match' ? undefined : match,
        }
      })
  },
}

const aliases: Readonly<Record<string, string>> = {
  challengeresponseauthentication: 'kbdinteractiveauthentication',
  skeyauthentication: 'kbdinteractiveauthentication',
}

/** What sshd would do for a user, by keyword in lower case. */
export type SshdSettings = Readonly<Record<string, readonly string[]>>

/** An outsider's connection: Match blocks by address see one from far away. */
const outsider = 'host=client.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22'

/**
 * What the configuration on disk comes to for these users, by `sshd -T`: Match blocks and files of others included. Of
 * all settings it gives these, and those that tell which keys open.
 * Null where there is no sshd; throws when sshd does not accept its configuration.
 */
export function sshdSettings(
  users: readonly string[],
  keywords: readonly string[],
): Question<Readonly<Record<string, SshdSettings>> | null> {
  const wanted = `^(${[...keywords, 'authorizedkeys[a-z]*', 'trustedusercakeys'].join('|').toLowerCase()}) `
  return {
    command: sh`command -v sshd >/dev/null || exit 127; for u in ${users}; do
echo "user $u"; s=$(sshd -T -C "user=$u,"${outsider}) || exit; echo "$s" | grep -E ${wanted}; done`,
    parse: (answer) => (answer.code === 127 ? null : parseSettings(answer)),
  }
}

/**
 * What was printed for each user: `user NAME`, then its settings as `sshd -T` has them. Throws when sshd did not accept
 * its configuration.
 */
export function parseSettings({ code, stdout, stderr }: Output): Readonly<Record<string, SshdSettings>> {
  if (code !== 0) throw new Error(`sshd does not accept its configuration: ${stderr.trim().split(/[\r\n]/)[0]}`)
  const found: Record<string, Record<string, string[]>> = {}
  let settings: Record<string, string[]> = {}
  for (const line of stdout.split('\n').filter(Boolean)) {
    const [keyword = '', value = ''] = line.split(/ (.*)/s)
    if (keyword === 'user') {
      settings = {}
      found[value] = settings
    } else {
      settings[keyword] = [...(settings[keyword] ?? []), settingAlias[value] ?? value]
    }
  }
  return found
}

// sshd -T prints the old name.
const settingAlias: Readonly<Record<string, string>> = { 'without-password': 'prohibit-password' }

/** The ports where sshd listens, by its configuration; none where the host cannot tell. */
export const sshdPorts: Question<readonly number[]> = {
  command: raw(`sshd -T 2>/dev/null | grep '^port '; true`),
  parse: ({ stdout }) => [...stdout.matchAll(/^port (\d+)$/gm)].map(([, port]) => Number(port)),
}

/** When sshd's configuration was last touched, in milliseconds since 1970; folders count, for files that went. */
export const sshdTouched: Question<number | undefined> = {
  command: raw(`stat -c %.6Z ${sshdConfig} ${sshdFolder} ${sshdFolder}/*.conf 2>/dev/null; true`),
  parse: ({ stdout }) => {
    const times = stdout.split('\n').filter(Boolean).map(Number)
    return times.length === 0 ? undefined : Math.max(...times) * 1000
  },
}
