import { gunzipSync } from 'node:zlib'
import { isNoUser } from '../../command/as-user.ts'
import { gitQuestion, gitScript } from '../../command/git-access.ts'
import { psqlClient } from '../../command/sql.ts'
import type { Question } from '../../engine/step.ts'
import type { DesiredCheckout } from '../host/git.ts'
import type { SchemaPlace } from './schema.ts'
import { columnsQuery } from './tables.ts'

/** A state of a schema's files in a repository. */
export interface RefSchema {
  /** A tag, or a commit. */
  readonly ref: string
  readonly contents: readonly string[]
}

export interface SchemaRefs {
  /** The files at the ref that is desired; undefined where it is checked out already, or cannot be looked at yet. */
  readonly desired: readonly string[] | undefined
  /** Other refs, the newest first: tags, then the commits that the files were the same until. */
  readonly others: readonly RefSchema[]
  /** The tables that are there. */
  readonly columns: Readonly<Record<string, readonly string[]>>
}

/** How many refs are looked at for one that fits. */
const most = 40

const resolve = `infra_find() { git rev-parse -q --verify "refs/tags/$1^{commit}" || git rev-parse -q --verify "refs/remotes/origin/$1^{commit}" ||
git rev-parse -q --verify "refs/heads/$1^{commit}" || case $1 in *[!0-9a-f]* | ? | ?? | ??? | ???? | ????? | ??????) false ;; *) git rev-parse -q --verify "$1^{commit}" ;; esac; }`

/** Whether anything is to be compared: there are tables, and the checkout is elsewhere than it shall be. */
const looking = (next: string) => `${resolve}
infra_said=$(${psqlClient.line} -d "$4" 2>/dev/null <<'SQL'
${columnsQuery}
SQL
) || exit 0
[ "$infra_said" != '{}' ] || exit 0
if [ -e "$1/.git" ]; then infra_to=$(cd "$1" && infra_find "$3") && [ "$infra_to" = "$(git -C "$1" rev-parse HEAD)" ] && exit 0; fi
echo "columns $infra_said"
${next}`

/** Says the files at the desired ref, and at others; from a copy of the repository that goes away again. */
const reading = `infra_d=$(mktemp -d /tmp/infra-schema.XXXXXX) || exit
trap 'rm -rf "$infra_d"' EXIT
trap 'exit 1' HUP INT TERM
remote 12 clone -q --bare -- "$2" "$infra_d/r" >&2 || { echo unread; exit 0; }
cd "$infra_d/r" || exit
infra_ref=$3; shift 4
infra_show() {
  for f do git cat-file -e "$infra_at:$f" 2>/dev/null || return 0; done
  echo "$infra_word"
  for f do echo "file $(git show "$infra_at:$f" | gzip -c | base64 -w0)"; done
}
${resolve}
infra_at=$(infra_find "$infra_ref") || { remote 8 fetch -q origin "$infra_ref" >&2 && infra_at=$(git rev-parse -q --verify FETCH_HEAD); } || { echo unread; exit 0; }
infra_word=desired; infra_show "$@"
for infra_at in $(git tag --sort=-version:refname | head -n ${most}); do infra_word="ref $infra_at"; infra_show "$@"; done
infra_until=
for infra_c in $(git log --format=%H -n ${most} --all --date-order -- "$@"); do
  infra_at=$infra_c
  if [ -n "$infra_until" ] && git diff --quiet "$infra_c" "$infra_until^" -- "$@" 2>/dev/null; then infra_at=$(git rev-parse "$infra_until^"); fi
  infra_word="ref $infra_at"; infra_show "$@"; infra_until=$infra_c
done`

/** What `checkout` will bring of a schema's files, before it does: with the tables of the database, and refs that may fit better. */
export function schemaRefs(
  path: string,
  { user, url, ref, access }: DesiredCheckout,
  { database, folder, files }: SchemaPlace,
): Question<SchemaRefs> {
  const below = files.map((file) => `${folder}/${file}`.slice(path.length + 1))
  const ours = { user, url, meets: false, args: [path, url, ref, database, ...below] }
  return {
    command: access
      ? gitQuestion({ ...ours, access, script: looking('echo ask') }, reading)
      : gitScript({ ...ours, access, script: looking(reading) }),
    parse(answer) {
      const nothing: SchemaRefs = { desired: undefined, others: [], columns: {} }
      // Who cannot be asked yet, will be by the step that fetches: what it then brings is compared as well.
      if (isNoUser(answer) || answer.code !== 0) return nothing
      const lines = answer.stdout.split('\n').map((line) => line.split(/ (.*)/s))
      let desired: string[] | undefined
      let columns: SchemaRefs['columns'] = {}
      const others: { ref: string; contents: string[] }[] = []
      for (const [word, rest = ''] of lines) {
        if (word === 'columns') columns = JSON.parse(rest) as SchemaRefs['columns']
        else if (word === 'desired') desired = []
        else if (word === 'ref') others.push({ ref: rest, contents: [] })
        else if (word === 'file')
          (others.at(-1)?.contents ?? desired)?.push(gunzipSync(Buffer.from(rest, 'base64')).toString())
      }
      return desired ? { desired, others, columns } : nothing
    },
  }
}
