import { askUser, asUser, limited, userProgram } from './as-user.ts'
import { type Command, plainText, type Text, text } from './command.ts'
import { derive, type Secret } from './secret.ts'
import { quote, sh, withStdin } from './sh.ts'

/**
 * How a private repository lets in: a token as the password over https, or a deploy key (OpenSSH private key) over ssh.
 * The secret is given to the programs of `account` alone, which fetch into a mirror in its home: whoever owns the checkout
 * could read it from a process of its own, or lead git to a proxy by the checkout's configuration.
 */
export type GitAccess = ({ readonly token: Secret } | { readonly deployKey: Secret }) & { readonly account: string }

export interface GitScript {
  readonly user: string
  readonly url: string
  readonly access: GitAccess | undefined
  /** Whether the key of an ssh server that is met for the first time is believed and noted: a question notes nothing. */
  readonly meets: boolean
  readonly script: string
  /** Its $1, $2 … */
  readonly args: readonly string[]
}

/**
 * A script that uses git as `user`. In it, `git` works on what is on the host, and `remote SECONDS …` is git with access
 * to the server at `url`. No secret is in an argument, in the environment or in a file: the shell keeps it in a variable
 * of its own and hands it on by a pipe.
 */
export function gitScript({ user, args, ...program }: GitScript): Command {
  // What notes nothing is a question.
  return (program.meets ? asUser : askUser)(user, gitProgram(program), args)
}

function gitProgram({ url, access, meets, script }: Omit<GitScript, 'user' | 'args'>): Text {
  const known = meets ? 'accept-new' : 'yes'
  const ssh = `ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 -o StrictHostKeyChecking=${known}`
  const remote = remoteFor(url, access)
  return text`${setting}\nexport GIT_SSH_COMMAND=${quote(ssh)}\n${remote}\n${script}`
}

/**
 * A question of two accounts, asked by root: the first script, of `user`, works on what is on the host; where it prints a
 * line `ask`, the second one, of the account that has access, asks the server. Neither gets anything of the other.
 */
export function gitQuestion({ access, ...first }: GitScript & { access: GitAccess }, second: string): Command {
  const looking = userProgram(gitProgram({ ...first, access: undefined }))
  const asking = userProgram(gitProgram({ ...first, access, script: second }))
  const run = (user: string) => sh`${limited} runuser -u ${user} -- sh -s --`.line
  const program = text`main() {
said=$(printf %s ${quoted(looking)} | ${run(first.user)} "$@") || { code=$?; printf '%s\\n' "$said"; return $code; }
printf '%s\\n' "$said"
case "
$said
" in *"
ask
"*) printf %s ${quoted(asking)} | ${run(access.account)} "$@" || return 7 ;; esac
}
main "$@" </dev/null
`
  return withStdin(sh`sh -s -- ${first.args}`, program)
}

/** A text as one word of shell: a secret where it holds one. `printf` is a builtin, so it is in no argument list. */
const quoted = ({ parts }: Text) =>
  derive((open) => quote(parts.map((part) => (typeof part === 'string' ? part : open(part))).join('')))

// Nobody is there to answer a prompt. Whose the files are is a fact of its own; a stalled transfer gives up.
const setting = `export GIT_TERMINAL_PROMPT=0 SSH_ASKPASS_REQUIRE=never
git() { command git -c safe.directory='*' -c advice.detachedHead=false "$@"; }
patient='-c http.lowSpeedLimit=100 -c http.lowSpeedTime=60'`

function remoteFor(url: string, access: GitAccess | undefined): Text {
  if (!access) return plainText('remote() { l=$1; shift; timeout "$l" git $patient "$@"; }')
  if ('token' in access) return text`secret=${word(access.token)}\n${byToken(new URL(url).origin)}`
  return text`secret=${word(access.deployKey)}\n${byKey}`
}

const word = (value: Secret) => derive((open) => quote(open(value)))

/** git asks the helper for the password, which reads it from descriptor 3; for this server only. */
const byToken = (origin: string) => `helper='!f() { if [ "$1" = get ]; then cat <&3; fi; }; f'
remote() {
  l=$1; shift
  printf 'username=x-access-token\\npassword=%s\\n' "$secret" | (
    exec 3<&0 </dev/null
    timeout "$l" git $patient -c credential.helper= -c ${quote(`credential.${origin}.helper`)}="$helper" "$@"
  )
}`

/** The key is in the memory of an agent, which ends with the command. */
const byKey = `remote() {
  l=$1; shift
  printf %s "$secret" | timeout "$l" ssh-agent sh -c '
    ssh-add -q - || exit 6
    GIT_SSH_COMMAND="$GIT_SSH_COMMAND -o IdentityFile=none" git "$@" </dev/null
    code=$?
    ssh-agent -k >/dev/null
    exit $code' sh "$@"
}`
