import { isNoUser } from '../../command/as-user.ts'
import { type GitAccess, gitQuestion, gitScript } from '../../command/git-access.ts'
import type { Question } from '../../engine/step.ts'

export interface DesiredCheckout {
  readonly user: string
  readonly url: string
  /** A tag, branch or commit. */
  readonly ref: string
  readonly access?: GitAccess | undefined
}

export interface GitState {
  /** `foreign`: something else is there; `broken`: a repository without a commit checked out. */
  readonly kind: 'absent' | 'foreign' | 'broken' | 'clone'
  readonly head: string | undefined
  readonly url: string | undefined
  /** The commit that the desired ref stands for; undefined when that is not known without fetching. */
  readonly desired: string | undefined
  /** A path in it that belongs to somebody else. */
  readonly stranger: string | undefined
  /** Whether a git that was killed left its lock, and maybe half of a checkout. */
  readonly interrupted: boolean
  /** Tracked files that differ from the commit that is checked out. */
  readonly modified: readonly string[]
}

// A tag or commit is looked up in the clone, without the network; only where a branch is desired the server is asked,
// since that is what moves.
const script = (
  tip: string,
) => `if [ ! -e "$1" ] || { [ -d "$1" ] && [ -z "$(ls -A "$1")" ]; }; then echo kind absent; exit 0; fi
if [ ! -e "$1/.git" ]; then echo kind foreign; exit 0; fi
cd "$1" || exit
head=$(git rev-parse -q --verify 'HEAD^{commit}') || { echo kind broken; exit 0; }
url=$(git config --get remote.origin.url)
echo kind clone
echo head "$head"
echo url "$url"
echo stranger "$(find . ! -user "$(id -u)" -print -quit)"
[ ! -e .git/index.lock ] || grep -qsx git /proc/[0-9]*/comm || echo interrupted yes
git --no-optional-locks status --porcelain --untracked-files=no | sed 's/^.. /modified /'
if desired=$(git rev-parse -q --verify "refs/tags/$3^{commit}"); then :
elif git rev-parse -q --verify "refs/remotes/origin/$3^{commit}" >/dev/null; then
  [ "$url" = "$2" ] || exit 0
  ${tip}
else
  case $3 in *[!0-9a-f]* | ? | ?? | ??? | ???? | ????? | ??????) ;; *) desired=$(git rev-parse -q --verify "$3^{commit}") ;; esac
fi
echo desired "\${desired%%[!0-9a-f]*}"`

const tip = `desired=$(remote 12 ls-remote -- "$2" "refs/heads/$3") || exit 7`
const tipByOther = `${tip}\necho desired "\${desired%%[!0-9a-f]*}"`

/** What is at `path` where a clone is desired. Throws when the server had to be asked and did not answer. */
export function gitState(path: string, { user, url, ref, access }: DesiredCheckout): Question<GitState> {
  const ours = { user, url, meets: false, args: [path, url, ref] }
  return {
    command: access
      ? gitQuestion({ ...ours, access, script: script('echo ask; exit 0') }, tipByOther)
      : gitScript({ ...ours, access, script: script(tip) }),
    parse(answer) {
      const { code, stdout, stderr } = answer
      // The key of its ssh server is not known: a change may make its acquaintance.
      const unmet = code === 7 && /host key/i.test(stderr)
      if (code !== 0 && !isNoUser(answer) && !unmet) {
        if (code === 7) throw new Error(`cannot ask the server for branch ${ref}: ${explainGit(answer, url)}`)
        throw new Error(stderr.trim() || `exit code ${code}`)
      }
      const lines = stdout.split('\n').map((line) => line.split(/ (.*)/s))
      const all = (name: string) => lines.filter(([key]) => key === name).map(([, value = '']) => value)
      const one = (name: string) => all(name)[0] || undefined
      return {
        kind: (one('kind') as GitState['kind'] | undefined) ?? 'absent',
        head: one('head'),
        url: one('url'),
        desired: one('desired'),
        stranger: one('stranger'),
        interrupted: one('interrupted') !== undefined,
        modified: all('modified'),
      }
    },
  }
}

/** What git means when it cannot reach or read a repository, in a line. */
export function explainGit({ code, stderr }: { code: number; stderr: string }, url: string): string | undefined {
  if (/passphrase|Error loading key/.test(stderr))
    return 'the deploy key cannot be used: it has a passphrase or is damaged'
  if (/Host key verification failed/.test(stderr))
    return `the ssh key of the git server is another than before: forged, or renewed (then ssh-keygen -R its name) (${url})`
  if (
    /Could not resolve|Failed to connect|Couldn't connect|Connection (refused|timed out|reset)|unreachable|No route to host|Operation timed out|Operation too slow/i.test(
      stderr,
    ) ||
    code === 124
  ) {
    return `the git server cannot be reached (${url})`
  }
  if (
    /Authentication failed|could not read (Username|Password)|Permission denied|error: 40[13]|HTTP Basic/.test(stderr)
  ) {
    return `the git server did not let us in: the repository is private, and the token or deploy key is missing or wrong (${url})`
  }
  if (/not found|does not appear to be a git repository|may only read/i.test(stderr)) {
    return `there is no repository at ${url} that may be read`
  }
  return stderr.match(/^fatal: (.*)/m)?.[1]
}
