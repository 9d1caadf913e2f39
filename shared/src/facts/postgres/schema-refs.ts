import { gunzipSync } from 'node:zlib'
import { isNoUser } from '../../command/as-user.ts'
import { gitQuestion, gitScript } from '../../command/git-access.ts'
import { psqlClient } from '../../command/sql.ts'
import type { Question } from '../../engine/step.ts'
import type { DesiredCheckout } from '../host/git.ts'
import type { SchemaPlace } from './schema.ts'
import { type Columns, columnsOf, lackingColumns } from './schema-columns.ts'
import { columnsQuery } from './tables.ts'

/**
 * Whether the tables that are there fit a ref. The same where it cannot be read, or is checked out already: what the
 * network does meanwhile is no part of it.
 */
export interface SchemaFit {
  /** The columns that tables which are there lack of the desired ref's schema: `beliefs.holder_id`. */
  readonly lacking: readonly string[]
  /**
   * Where they lack any: the newest ref that fits, a tag, or the last commit that has that schema. One that makes no more
   * tables goes before one that does: what is there is of that version.
   */
  readonly fits: string | undefined
  /** How many tables more it makes. */
  readonly adds?: number
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
): Question<SchemaFit> {
  const below = files.map((file) => `${folder}/${file}`.slice(path.length + 1))
  const ours = { user, url, meets: false, args: [path, url, ref, database, ...below] }
  return {
    command: access
      ? gitQuestion({ ...ours, access, script: looking('echo ask') }, reading)
      : gitScript({ ...ours, access, script: looking(reading) }),
    parse: (answer) => (isNoUser(answer) || answer.code !== 0 ? fitting : fitOf(answer.stdout)),
  }
}

const newTables = (scripts: readonly string[], there: Columns): number =>
  new Set(scripts.flatMap((script) => Object.keys(columnsOf(script))).filter((name) => !Object.hasOwn(there, name)))
    .size

const fitting: SchemaFit = { lacking: [], fits: undefined }

function fitOf(said: string): SchemaFit {
  let columns: Columns = {}
  let desired: string[] | undefined
  const others: { ref: string; contents: string[] }[] = []
  for (const [word, rest = ''] of said.split('\n').map((line) => line.split(/ (.*)/s))) {
    if (word === 'columns') columns = JSON.parse(rest) as Columns
    else if (word === 'desired') desired = []
    else if (word === 'ref') others.push({ ref: rest, contents: [] })
    else if (word === 'file')
      (others.at(-1)?.contents ?? desired)?.push(gunzipSync(Buffer.from(rest, 'base64')).toString())
  }
  const lacking = desired ? lackingColumns(desired, columns) : []
  if (lacking.length === 0) return fitting
  const fit = others
    .filter(({ contents }) => lackingColumns(contents, columns).length === 0)
    .map(({ ref, contents }) => ({ ref, adds: newTables(contents, columns) }))
  const best = fit.find(({ adds }) => adds === 0) ?? fit[0]
  return { lacking, fits: best?.ref, adds: best?.adds ?? 0 }
}
