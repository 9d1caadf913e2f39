import { type Shell, sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface UserState {
  readonly uid: number
  readonly home: string
  readonly shell: string
  /** The names of all its groups, the primary one first. */
  readonly groups: readonly string[]
  /** passwd(1) -S: `locked` also stands for a hash that no password has; `empty` for one that needs none. */
  readonly password: 'set' | 'locked' | 'empty'
  /** Who owns the home directory; undefined when it is not there. */
  readonly homeOwner: string | undefined
}

/** An account by getent, id, passwd -S and stat. Null when there is none. */
export function userState(name: string): Question<UserState | null> {
  return {
    command: sh`getent passwd ${name} && id -nG -- ${name} && passwd -S ${name} && stat -L -c %U ${homeOf(name)}`,
    parse({ code, stdout, stderr }) {
      const [entry = '', groups, status, homeOwner] = stdout.split('\n').filter(Boolean)
      // getent says 2 for a name that is not there.
      if (code === 127 || (code === 2 && entry === '')) return null
      const [, , uid, , , home, shell] = entry.split(':')
      if (groups === undefined || status === undefined || home === undefined)
        throw new Error(stderr.trim() || `the account ${name} cannot be read: exit code ${code}`)
      const letter = status.split(' ')[1]
      return {
        uid: Number(uid),
        home,
        shell: shell ?? '',
        groups: groups.split(' '),
        password: letter === 'P' ? 'set' : letter === 'NP' ? 'empty' : 'locked',
        homeOwner,
      }
    },
  }
}

export interface AuthorizedKeys {
  readonly folder: Access | null
  readonly file: Access | null
  /** The lines that hold keys; comments and empty lines are left out. */
  readonly lines: readonly string[]
}

export interface Access {
  /** As stat names it: `regular file`, `directory`, `symbolic link`. */
  readonly kind: string
  /** Octal, four digits. */
  readonly mode: string
  readonly owner: string
}

/** The ~/.ssh/authorized_keys of a user, read with the user's own rights. Null when there is no such user. */
export function authorizedKeys(user: string): Question<AuthorizedKeys | null> {
  const command = sh`h=${homeOf(user)}; [ -n "$h" ] || exit 0
for p in .ssh .ssh/authorized_keys; do stat -c '%a|%U|%F' -- "$h/$p" 2>/dev/null || echo none; done
setpriv --reuid=${user} --regid="$(id -g ${user})" --clear-groups sh -c ${'[ ! -f "$1" ] || exec timeout -k 2 15 head -c 1048576 -- "$1"'} sh "$h/.ssh/authorized_keys" 2>/dev/null || true`
  return {
    command,
    parse({ code, stdout, stderr }) {
      if (code === 127 || stdout === '') return null
      const [folder, file, ...lines] = stdout.split('\n')
      if (code !== 0 || folder === undefined || file === undefined)
        throw new Error(stderr.trim() || `the keys of ${user} cannot be read: exit code ${code}`)
      return {
        folder: parseAccess(folder),
        file: parseAccess(file),
        lines: lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#')),
      }
    },
  }
}

/** Shell text for the home directory of a user; nothing for one that does not exist. */
export function homeOf(user: string): Shell {
  return sh`"$(getent passwd ${user} | cut -d: -f6)"`
}

// Options with what is in their quotes, the type, the key (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").
const keyLine = /^(?:((?:"(?:\\.|[^"\\])*"|[^\s"])+)\s+)?(?:ssh-|ecdsa-|sk-ssh-|sk-ecdsa-)\S+\s+(\S+)/

/**
 * Whether one of these lines lets this key in, whatever restrictions stand before it; as that of an authority it opens
 * only with certificates.
 */
export function isAuthorized(lines: readonly string[], base64: string): boolean {
  return lines.some((line) => {
    const [, options = '', key] = line.match(keyLine) ?? []
    return key === base64 && !/(?:^|,)cert-authority(?:,|$)/i.test(options.replace(/"(?:\\.|[^"\\])*"/g, ''))
  })
}

function parseAccess(line: string): Access | null {
  if (line === 'none') return null
  const [mode = '', owner = '', kind = ''] = line.split('|')
  return { kind, mode: mode.padStart(4, '0'), owner }
}
