import { asUser } from './as-user.ts'
import { type Command, plainText, type Text, text } from './command.ts'
import { derive, type Secret } from './secret.ts'
import { quote } from './sh.ts'

/** How a private repository lets in: a token as the password over https, or a deploy key (OpenSSH private key) over ssh. */
export type GitAccess = { readonly token: Secret } | { readonly deployKey: Secret }

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
export function gitScript({ user, url, access, meets, script, args }: GitScript): Command {
  const known = meets ? 'accept-new' : 'yes'
  const ssh = `ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15 -o StrictHostKeyChecking=${known}`
  const remote = remoteFor(url, access)
  return asUser(user, text`${setting}\nexport GIT_SSH_COMMAND=${quote(ssh)}\n${remote}\n${script}`, args)
}

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
