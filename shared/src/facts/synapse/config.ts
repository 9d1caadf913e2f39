import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export const synapseFolder = '/etc/matrix-synapse'
export const synapseConfig = `${synapseFolder}/homeserver.yaml`
export const synapseDropIns = `${synapseFolder}/conf.d`

/** How homeserver.yaml begins where the deployment wrote it. */
export const synapseMark = '# Written by the deployment'

/** Where a configuration says that Synapse keeps its data, without the password. */
export interface DatabaseSetting {
  /** `psycopg2`, `sqlite3`. */
  readonly name?: string
  readonly dbname?: string
  /** The same of psycopg2; of sqlite3 the path of the file. */
  readonly database?: string
  readonly user?: string
  readonly host?: string
  readonly port?: string
  /** Whether there is one: it holds the password. */
  readonly dsn?: string
  /** How many users the file of sqlite3 holds: a number, `none` without a file, or `unknown`. */
  readonly users?: string
}

export interface ConfigFile {
  readonly path: string
  /** The names at its top. */
  readonly keys: readonly string[]
  /** Those of the keys that are set to nothing: `[]` or `{}`. */
  readonly empty: readonly string[]
  /** Of these names the values, of one line: nothing that is secret. */
  readonly values: Readonly<Record<'server_name' | 'signing_key_path' | 'media_store_path', string | undefined>>
  readonly database?: DatabaseSetting
  /** Who wrote homeserver.yaml: the deployment, Debian's package, or somebody else. */
  readonly by: 'deployment' | 'package' | 'other'
}

// Says of one file its names, some values, and where the data are: passwords stay unread.
const reader = String.raw`function bare(text) { sub(/[ \t]+#.*/, "", text); gsub(/["']/, "", text); sub(/[ \t]+$/, "", text); return text }
function name(text) { sub(/:.*/, "", text); text = bare(text); sub(/^[ \t]+/, "", text); return text }
function value(text) { sub(/^[^:]*:[ \t]*/, "", text); return text }
/^["']?[A-Za-z0-9_]+["']? *:/ {
  key = name($0); text = value($0)
  print "key " key
  if (text ~ /^(\[ *\]|\{ *\}) *(#.*)?$/) print "empty " key
  if (key ~ /^(server_name|signing_key_path|media_store_path)$/) print "value " key ": " bare(text)
}
/^[^ \t#]/ { on = /^["']?database["']? *:/ }
on && !/^[ \t]+["']?password["']? *:/ {
  text = /^[ \t]/ ? $0 : value($0)
  gsub(/["']?password["']? *: *("([^"\\]|\\.)*"|'[^']*'|[^,}]*)/, "", text)
  gsub(/[{},]/, "\n", text)
  count = split(text, part, "\n")
  for (i = 1; i <= count; i++) if (part[i] ~ /^[ \t]*["']?(name|dbname|database|user|host|port|dsn)["']? *: *[^ \t]/)
    print "database " name(part[i]) " " (name(part[i]) == "dsn" ? "yes" : bare(value(part[i])))
}`

// Counts what would be left behind if Synapse were started on another database. Opened for reading only.
const usersOf = `import pathlib, sqlite3, sys
try:
    file = sqlite3.connect(pathlib.Path(sys.argv[1]).as_uri() + "?mode=ro", uri=True)
    print(file.execute("select count(*) from users").fetchone()[0])
except sqlite3.Error as e:
    print(0 if "no such table" in str(e) else "unknown")
`

/**
 * The files of Synapse's configuration in the order in which it reads them: a later one wins. Secrets stay there. Names
 * may stand in quotes, and a database in braces.
 */
export const configFiles: Question<readonly ConfigFile[]> = {
  command: sh`for f in ${synapseConfig} ${synapseDropIns}/*.yaml; do [ -f "$f" ] || continue; echo "file $f"
said=$(awk ${reader} "$f") && echo "$said"
case $said in *'database name sqlite3'*) d=$(echo "$said" | sed -n 's/^database database //p'); case $d in /*) ;; *) d=/var/lib/matrix-synapse/$d ;; esac
if [ -s "$d" ]; then echo "database users $(python3 -c ${usersOf} "$d" || echo unknown)"; else echo 'database users none'; fi ;; esac
[ "$f" = ${synapseConfig} ] || continue
if head -n 1 "$f" | grep -q ${`^${synapseMark}`}; then echo by deployment
elif dpkg-query -W -f='\${Conffiles}\\n' matrix-synapse-py3 2>/dev/null | grep -qF " $f $(md5sum <"$f" | cut -d' ' -f1)"; then echo by package; fi
done`,
  parse({ code, stdout, stderr }) {
    if (code === 127) return []
    if (code !== 0 && stderr !== '') throw new Error(stderr.trim())
    return stdout
      .split(/^file /m)
      .slice(1)
      .map((piece) => configFile(piece.trimEnd().split('\n')))
  },
}

function configFile([path = '', ...lines]: readonly string[]): ConfigFile {
  const said = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1))
  const value = (key: string) =>
    said('value')
      .find((each) => each.startsWith(`${key}: `))
      ?.slice(key.length + 2) || undefined
  const database = Object.fromEntries(said('database').map((each) => each.trim().split(/ +(.*)/, 2))) as DatabaseSetting
  const [by = 'other'] = said('by') as ConfigFile['by'][]
  return {
    path,
    keys: said('key'),
    empty: said('empty'),
    values: {
      server_name: value('server_name'),
      signing_key_path: value('signing_key_path'),
      media_store_path: value('media_store_path'),
    },
    ...(Object.keys(database).length > 0 && { database }),
    by,
  }
}
