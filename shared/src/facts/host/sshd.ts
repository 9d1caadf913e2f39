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
  /** Its words, without quotes, one blank between two. */
  readonly value: string
  /** The condition of the Match block that it stands in. */
  readonly match: string | undefined
  /** Of a file that others include, the one that sshd_config includes; else the file itself. */
  readonly from: string
}

// Follows Include as sshd does: what it names is read in its place. A pattern that a shell would take for more stays unread.
const walk = String.raw`function read(file, depth,  n, last, line, bare, words, count, i, path, list) {
  if (depth > 16) { print "!" file; exit }
  print "+" file
  for (last = 0; (getline line < file) > 0; ) texts[depth, ++last] = line
  close(file)
  for (n = 1; n <= last; n++) {
    line = texts[depth, n]
    if (line ~ /^[ \t]*(#|\r?$)/) continue
    print file ":" n ":" line
    if (tolower(line) !~ /^[ \t]*"?include"?[ \t=]/) continue
    sub(/^[ \t]*"?[A-Za-z]+"?[ \t]*=?[ \t]*/, "", line); sub(/[ \t]#.*$/, "", line)
    bare = line; gsub(/"[^" \t]*"|'[^' \t]*'/, "", bare); if (bare ~ /["'\\]/) { print "!" file ":" n; continue }
    gsub(/["'\r]/, "", line)
    count = split(line, words, /[ \t]+/)
    for (i = 1; i <= count; i++) if (words[i] != "") {
      if (words[i] !~ /^[][A-Za-z0-9_.,\/*?@%+:-]+$/) { print "!" file ":" n; continue }
      list = "LC_ALL=C; for f in " (substr(words[i], 1, 1) == "/" ? "" : "/etc/ssh/") words[i] "; do [ ! -f \"$f\" ] || echo \"$f\"; done"
      paths[depth] = ""
      while ((list | getline path) > 0) paths[depth] = paths[depth] path "\n"
      close(list); each(paths[depth], depth)
    }
  }
  print "-"
}
function each(text, depth,  list, count, i) { count = split(text, list, "\n"); for (i = 1; i < count; i++) read(list[i], depth + 1) }
BEGIN { read(ARGV[1], 0) }`

/**
 * The lines of sshd_config and of all that it includes that say anything, in the order in which sshd reads them. Null where
 * there is no sshd.
 */
export const sshdLines: Question<readonly SshdLine[] | null> = {
  command: sh`[ ! -f ${sshdConfig} ] || awk ${walk} ${sshdConfig}`,
  parse({ code, stdout, stderr }) {
    if (code === 127) return null
    if (code !== 0) throw new Error(`the files of sshd cannot be read: ${stderr.trim()}`)
    const [, unread] = stdout.match(/^!(.*)$/m) ?? []
    if (unread !== undefined) throw new Error(`an Include of sshd is not understood: ${unread}`)
    const open: { path: string; match: string | undefined }[] = []
    const lines = stdout.split('\n').flatMap((row): SshdLine[] => {
      const here = open.at(-1)
      // What is included within a Match block is of it; one that begins in a file ends with it.
      if (row.startsWith('+')) open.push({ path: row.slice(1), match: here?.match })
      else if (row === '-') open.pop()
      else if (here && row !== '') {
        const { keyword, value, ...line } = lineOf(here.path, row)
        if (keyword === 'match') here.match = value
        const from = (open[1] ?? here).path
        return [{ ...line, keyword, value, match: keyword === 'match' ? undefined : here.match, from }]
      }
      return []
    })
    return stdout === '' ? null : lines
  },
}

/** `PATH:NUMBER:TEXT` taken apart by the rules of sshd. */
function lineOf(path: string, row: string): Omit<SshdLine, 'match' | 'from'> {
  const [, number = '', text = ''] = row.slice(path.length).match(/^:(\d+):(.*)$/s) ?? []
  const [, quoted, plain = '', rest = ''] = text.match(/^\s*(?:"([^"]*)"|([^\s="]+))[\s]*=?\s*(.*)$/s) ?? []
  const word = (quoted ?? plain).toLowerCase()
  return { path, number: Number(number), text, keyword: aliases[word] ?? word, value: wordsOf(rest).join(' ') }
}

/** The words of a line, as sshd's argv_split has them: quotes hold blanks, and a word that begins with # ends them. */
export function wordsOf(text: string): string[] {
  const words: string[] = []
  for (const [word, comment] of text.matchAll(/(#.*)|(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'])+/gs)) {
    if (comment !== undefined) break
    words.push(
      word
        .replace(/"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'/gs, (_, one = '', other = '') => one + other)
        .replace(/\\(["'\\ ])/g, '$1'),
    )
  }
  return words
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
