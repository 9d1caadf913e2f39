import { asUser } from '../../command/as-user.ts'
import type { Command, Output } from '../../command/command.ts'
import { type GitAccess, gitScript } from '../../command/git-access.ts'
import { all, quote, sh } from '../../command/sh.ts'
import { type Change, changes, create, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { fileDigest } from '../../facts/host/file.ts'
import { type DesiredCheckout, explainGit, gitState } from '../../facts/host/git.ts'
import { backupOf, rootsAbove } from './file.ts'

const heads = '+refs/heads/*:refs/remotes/origin/*'
const tags = '+refs/tags/*:refs/tags/*'

const find = `find_commit() {
  git rev-parse -q --verify "refs/tags/$1^{commit}" || git rev-parse -q --verify "refs/remotes/origin/$1^{commit}" ||
    case $1 in *[!0-9a-f]* | ? | ?? | ??? | ???? | ????? | ??????) false ;; *) git rev-parse -q --verify "$1^{commit}" ;; esac
}`

const resolve = `${find}
resolve() {
  find_commit "$2" || { [ \${#2} = 40 ] && remote 300 fetch -q "$1" "$2" 2>/dev/null && find_commit "$2"; } || exit 8
}`

// Into an empty folder beside its place, which root then gives its name: a clone that breaks off leaves nothing there.
const clone = `${resolve}
remote 900 clone --progress --no-checkout -- "$2" "$1" || exit 7
cd "$1" || exit
commit=$(resolve "$2" "$3") || exit 8
git checkout -q --detach "$commit" || exit
chmod 755 "$1"`

// The new address is noted only once its tags have replaced those of the old one, since the ref is looked up by tags.
const checkout = `${resolve}
cd "$1" || exit
url=$2 ref=$3 commit=$4
shift 4
if ! { [ -n "$commit" ] && git cat-file -e "$commit^{commit}" 2>/dev/null; }; then
  remote 900 fetch --progress --force --prune "$@" || exit 7
  git remote set-url origin "$url" 2>/dev/null || git remote add origin "$url" || exit
  commit=$(resolve "$url" "$ref") || exit 8
fi
git checkout -q --detach "$commit"`

// With access to a private server. By the account that has it, into a mirror of its own.
const mirror = `cd || exit
git -C mirror.git rev-parse --is-bare-repository >/dev/null 2>&1 || { rm -rf mirror.git; git init -q --bare mirror.git; } || exit
cd mirror.git || exit
remote 900 fetch --progress --force --prune "$2" '+refs/heads/*:refs/heads/*' '${tags}' || exit 7
[ \${#3} != 40 ] || git cat-file -e "$3^{commit}" 2>/dev/null || remote 300 fetch -q "$2" "$3:refs/infra/$3" 2>/dev/null || exit 8`

// By the owner of the checkout, who gets no secret: first where there is none yet, then from what was handed over.
const begin = 'git init -q "$1" && chmod 755 "$1"'
const handed = '.git/handed.bundle'
const take = `${find}
cd "$1" || exit
git fetch -q --force --prune ${handed} '${heads}' '${tags}' '+refs/infra/*:refs/infra/*'
code=$?
rm -f ${handed}
[ "$code" = 0 ] || exit
git remote set-url origin "$2" 2>/dev/null || git remote add origin "$2" || exit
commit=$(find_commit "$3") || exit 8
git checkout -q --detach "$commit"`

/** Hands all of the mirror from one account to the other: by a pipe, so that neither reads a file of the other's. */
const handOver = ({ account }: GitAccess, user: string, place: string) =>
  sh`cd / && timeout 600 runuser -u ${account} -- sh -c 'cd && exec git -C mirror.git bundle create -q - --all' |
timeout 600 runuser -u ${user} -- sh -c ${`umask 077; exec cat >${quote(`${place}/${handed}`)}`}`

// Nothing is lost: what the killed git left, and what may be an edit of somebody, is kept in git's stash.
const putAside = `cd "$1" || exit
rm -f .git/index.lock
[ -z "$(git status --porcelain)" ] || git -c user.name=deploy -c user.email=deploy@localhost stash push -q -u -m 'left by an interrupted checkout'`

/**
 * A clone of a repository with one tag, branch or commit checked out, owned by `user`. Pinned to a tag or commit it is
 * looked at without the network; of a branch the server's tip is followed. Local modifications are never overwritten. A
 * copy of the repository without git, such as rsync leaves, is known by `mark`, a path in it, and gives way to a clone; it
 * is kept. The folder that it is in is root's.
 */
export function gitCheckout(
  on: Target,
  path: string,
  options: DesiredCheckout & { mark?: string; dependsOn?: readonly Dependency[] },
): Step {
  const { user, url, ref, access, mark, dependsOn = [] } = options
  const git = (script: string, args: readonly string[], place = path, as = user): Command =>
    gitScript({
      user: as,
      url,
      access: as === user ? undefined : access,
      meets: true,
      script,
      args: [place, url, ref, ...args],
    })
  // What moves a checkout: by the owner itself, or, where the server lets in one account only, by way of its mirror.
  const moved = (place: string, direct: Command): Command[] =>
    access ? [git(mirror, [], place, access.account), handOver(access, user, place), git(take, [], place)] : [direct]
  const explain = (output: Output) => explainCheckout(output, options)
  // What an earlier clone left is cleared away; the user owns the folder, and nothing above it.
  const unfinished = `${path.slice(0, path.lastIndexOf('/'))}/.clone.`
  const fresh = `${unfinished}${path.slice(path.lastIndexOf('/') + 1)}`
  const room = sh`${rootsAbove(path)} && rm -rf ${unfinished}* && mkdir -m 0700 ${fresh} && chown --no-dereference ${`${user}:`} ${fresh}`
  const cloned = [room, ...(access ? [git(begin, [], fresh)] : []), ...moved(fresh, git(clone, [], fresh))]
  return step({
    id: `repository ${path}`,
    on,
    dependsOn,
    ask: { now: gitState(path, options), marked: fileDigest(`${path}/${mark ?? '.git'}`, user) },
    plan({ now, marked }) {
      if (now.kind === 'absent') {
        const place = sh`{ [ ! -d ${path} ] || rmdir ${path}; } && mv -T ${fresh} ${path}`
        return changes([create(`${path} at ${ref}`, [...cloned, place], { explain })], '')
      }
      if (now.kind === 'foreign' && mark && marked) {
        const { path: backup, mkdir } = backupOf(path)
        const swap = all(mkdir, sh`mv --backup=numbered -T ${path} ${backup}`, sh`mv -T ${fresh} ${path}`)
        const say = `${path} at ${ref}, in place of a copy without git, which is kept in ${backup}`
        return changes([update(say, [...cloned, swap], { explain })], '')
      }
      if (now.kind !== 'clone') {
        const what = now.kind === 'foreign' ? 'is not a git repository' : 'is a git repository without a commit'
        return refuse(`${path} ${what}`, `Move it away, it may hold data: mv ${path} ${path}.old`)
      }
      const list: Change[] = []
      if (now.stranger) {
        const whole = sh`${rootsAbove(path)} && chown -R --no-dereference ${`${user}:`} ${path}`
        list.push(update(`all of ${path} belongs to ${user} (${now.stranger} does not)`, whole))
      }
      if (now.interrupted)
        list.push(update(`${path}: an interrupted checkout put aside`, asUser(user, putAside, [path])))
      else if (now.modified.length > 0) {
        return refuse(
          `${path} has local modifications: ${shorten(now.modified)}`,
          `As user ${user} in ${path}: "git stash" keeps them aside, "git reset --hard" throws them away.`,
        )
      }
      if (now.url !== url) {
        const move = git(checkout, ['', '--no-tags', url, heads, tags])
        list.push(update(`${path} from ${now.url ?? 'nowhere'} → ${url}`, moved(path, move), { explain }))
      } else if (now.desired === undefined || now.head !== now.desired) {
        const move = git(checkout, [now.desired ?? '', '--tags', url, heads])
        list.push(update(`${path} ${now.head?.slice(0, 7)} → ${ref}`, moved(path, move), { explain }))
      }
      return changes(list, `${ref}, ${now.head?.slice(0, 7)}`)
    },
  })
}

function explainCheckout(output: Output, { ref, url }: DesiredCheckout): string | undefined {
  if (output.code === 8) return `the repository has no tag, branch or commit ${ref} (${url})`
  const blocked = output.stderr.match(/untracked working tree files would be overwritten by checkout:\s+(\S+)/)
  if (blocked)
    return `the file ${blocked[1]} in the clone is in the way: it is not git's, and ${ref} has one of that name`
  return explainGit(output, url)
}

const shorten = (files: readonly string[]) =>
  files.length > 5 ? `${files.slice(0, 5).join(', ')} and ${files.length - 5} more` : files.join(', ')
