import { plainText, type Text, text } from '../../command/command.ts'
import { jsonAnswer } from '../../command/json-answer.ts'
import type { Secret } from '../../command/secret.ts'
import { sh, withStdin } from '../../command/sh.ts'
import { rolePsql } from '../../command/sql.ts'
import { yaml } from '../../command/yaml.ts'
import type { Question } from '../../engine/step.ts'
import { synapseConfig, synapseDropIns } from './config.ts'

export interface MatrixUser {
  /** The local part: `admin` for `@admin:example.org`. */
  readonly name: string
  readonly admin: boolean
  readonly password: Secret
}

export interface MatrixUserState {
  readonly admin: boolean
  readonly deactivated: boolean
  readonly locked: boolean
  /** Whether the desired password is the one that it has. */
  readonly password: boolean
}

export interface MatrixServer {
  readonly serverName: string
  readonly database: string
  /** The role that Synapse is there. */
  readonly role: string
  /** The same where it may still keep its data: asked there while its configuration says so. */
  readonly before?: { readonly database: string; readonly role: string }
  /** The virtual environment of Synapse: it has bcrypt. */
  readonly venv: string
}

/** What all our programs about users begin with: the desired (JSON) from stdin, and Synapse's way with passwords. */
export const preamble = `import glob, json, subprocess, sys, unicodedata
import bcrypt, yaml
desired = json.load(sys.stdin)
config = {}
for path in [${JSON.stringify(synapseConfig)}] + sorted(glob.glob(${JSON.stringify(`${synapseDropIns}/*.yaml`)})):
    try:
        config.update(yaml.safe_load(open(path)) or {})
    except FileNotFoundError:
        pass
pepper = (config.get("password_config") or {}).get("pepper") or ""
def taken(password):
    return (unicodedata.normalize("NFKC", password) + pepper).encode()[:72]
def literal(value):
    return "'" + value.replace("'", "''") + "'"
place = (config.get("database") or {}).get("args") or {}
place = place.get("dbname") or place.get("database")
def psql(statement):
    # Quoted for standard_conforming_strings, which is on; on stdin, since it may hold a hash.
    words = desired["psql"].get(place) or desired["psql"][""]
    return subprocess.run(words, input=statement, capture_output=True, text=True, cwd="/")
`

// A login would ask Synapse as well, but it writes: a plan must not.
const script = `${preamble}from concurrent.futures import ThreadPoolExecutor
names = ",".join(literal(user["id"]) for user in desired["users"])
ran = psql("select coalesce(json_object_agg(u.name, pg_catalog.row_to_json(u)), '{}') from public.users u where u.name in (" + names + ")")
if ran.returncode != 0 and not ("does not exist" in ran.stderr):
    sys.exit(ran.stderr.strip() or "psql failed")
rows = json.loads(ran.stdout) if ran.returncode == 0 else {}
def state(user):
    row = rows.get(user["id"])
    if row is None:
        return None
    stored = row["password_hash"] or ""
    try:
        same = bcrypt.checkpw(taken(user["password"]), stored.encode())
    except ValueError:
        same = False
    return {"admin": bool(row["admin"]), "deactivated": bool(row["deactivated"]), "locked": bool(row.get("locked")), "password": same}
with ThreadPoolExecutor() as pool:
    print(json.dumps(list(pool.map(state, desired["users"]))))
`

/** The desired as JSON, with `more` in it, for a program's stdin. YAML's quoted scalars are JSON. */
export function desiredText(
  { serverName, database, role, before }: MatrixServer,
  users: readonly MatrixUser[],
  more?: Text,
): Text {
  const list = users.map(
    ({ name, admin, password }) =>
      yaml`{"name": ${name}, "id": ${`@${name}:${serverName}`}, "admin": ${admin}, "password": ${password}}`,
  )
  const joined = list.reduce((before, user, index) => (index === 0 ? user : text`${before}, ${user}`), plainText(''))
  const words = {
    '': rolePsql(role, database),
    ...(before && { [before.database]: rolePsql(before.role, before.database) }),
  }
  const psql = plainText(JSON.stringify(words))
  return yaml`{${more ? text`${more}, ` : plainText('')}"psql": ${psql}, "users": [${joined}]}`
}

/** Shell text that runs one of our programs by the Python of Synapse's environment; 127 where there is none. */
export const synapsePython = (venv: string, program: string) =>
  sh`[ -x ${`${venv}/bin/python`} ] || exit 127; exec ${`${venv}/bin/python`} -I -B -c ${program}`

/**
 * The desired users as Synapse has them, by its database: it answers whether or not Synapse runs. Null for a user that is
 * not there. Passwords are compared on the host and travel by stdin.
 */
export function matrixUsers(
  server: MatrixServer,
  users: readonly MatrixUser[],
): Question<readonly (MatrixUserState | null)[]> {
  return {
    command: withStdin(synapsePython(server.venv, script), desiredText(server, users)),
    parse({ code, stdout, stderr }) {
      if (code === 127) return users.map(() => null)
      if (code !== 0) throw new Error(`the users of Synapse cannot be read: ${stderr.trim().split('\n').at(-1)}`)
      return jsonAnswer<(MatrixUserState | null)[]>(stdout, 'the users of Synapse')
    },
  }
}
