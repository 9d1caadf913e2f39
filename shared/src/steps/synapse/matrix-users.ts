import type { Output } from '../../command/command.ts'
import type { Secret } from '../../command/secret.ts'
import { type Shell, sh, withStdin } from '../../command/sh.ts'
import { yaml } from '../../command/yaml.ts'
import { type Change, changes, create, type Dependency, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import {
  desiredText,
  type MatrixServer,
  type MatrixUser,
  type MatrixUserState,
  matrixUsers,
  preamble,
  synapsePython,
} from '../../facts/synapse/matrix-users.ts'
import { refuseWeak } from '../new-secret.ts'

export interface MatrixUsersOptions extends MatrixServer {
  readonly users: readonly MatrixUser[]
  /** `registration_shared_secret` of the server. */
  readonly secret: Secret
  /** Where Synapse listens. */
  readonly url: string
  readonly unit: string
  /** Waits until Synapse answers. */
  readonly ready: Shell
  readonly dependsOn?: readonly Dependency[]
}

// https://element-hq.github.io/synapse/latest/admin_api/register_api.html
const register = `${preamble}import hashlib, hmac, urllib.error, urllib.request
user = desired["users"][0]
# Where only the row of the user was lost, Synapse stumbles over what is left of the profile.
left = literal(user["id"]), literal(user["name"]), literal(user["id"])
ran = psql("delete from public.profiles where (full_user_id = %s or user_id = %s) and not exists (select from public.users where name = %s)" % left)
if ran.stderr.startswith("runuser:"):
    sys.exit(ran.stderr.strip())
# No proxy of the environment: this goes to the loopback.
client = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def call(body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    with client.open(urllib.request.Request(desired["url"], data, headers), timeout=30) as answer:
        return json.load(answer)
try:
    nonce = call()["nonce"]
    parts = [nonce, user["name"], user["password"], "admin" if user["admin"] else "notadmin"]
    mac = hmac.new(desired["secret"].encode(), "\\0".join(parts).encode(), hashlib.sha1).hexdigest()
    call({"nonce": nonce, "username": user["name"], "password": user["password"], "admin": user["admin"], "mac": mac, "inhibit_login": True})
except urllib.error.HTTPError as error:
    sys.exit("Synapse answers %d: %s" % (error.code, error.read(500).decode(errors="replace")))
except OSError as error:
    sys.exit("Synapse does not answer: %s" % error)
`

const set = `${preamble}user = desired["users"][0]
hashed = bcrypt.hashpw(taken(user["password"]), bcrypt.gensalt(config.get("bcrypt_rounds", 12))).decode()
name = literal(user["id"])
ran = psql("begin; update public.users set password_hash = %s, admin = %d, deactivated = 0, locked = false where name = %s;"
    " delete from public.erased_users where user_id = %s; commit;" % (literal(hashed), user["admin"], name, name))
if ran.returncode != 0:
    sys.exit(ran.stderr.strip())
`

/**
 * Users of Synapse with these passwords, who are there, active and (or not) its administrators. One that is missing is
 * registered by Synapse; what differs is set in its database, with Synapse stopped where it would not see the change.
 */
export function matrixUserAccounts(on: Target, options: MatrixUsersOptions): Step {
  const { users, secret, url, unit, ready, venv, dependsOn = [] } = options
  return step({
    id: `matrix.users ${users.map(({ name }) => name).join(' ')}`,
    on,
    dependsOn,
    ask: { now: matrixUsers(options, users) },
    plan({ now }) {
      const weak = refuseWeak(users.flatMap(({ password }, index) => (now[index]?.password ? [] : [password])))
      if (weak) return weak
      const list = users.flatMap((user, index): Change[] => {
        const found = now[index]
        const id = `@${user.name}:${options.serverName}`
        if (!found) {
          const more = yaml`"url": ${`${url}/_synapse/admin/v1/register`}, "secret": ${secret}`
          const request = desiredText(options, [user], more)
          return [create(`Matrix user ${id}`, withStdin(synapsePython(venv, register), request), { explain })]
        }
        const write = withStdin(synapsePython(venv, set), desiredText(options, [user]))
        const differs = differences(found, user)
        if (differs.length > 0) {
          // Synapse remembers these while it runs. Stopped first: a run that dies in between leaves a fact to see.
          const run = [sh`systemctl stop ${unit}`, write, sh`systemctl start ${unit} && ${ready}`]
          return [update(`Matrix user ${id} ${differs.join(', ')}`, run, { risk: 'restart', explain })]
        }
        return found.password ? [] : [update(`password of Matrix user ${id}`, write, { explain })]
      })
      return changes(list, users.map(({ name, admin }) => `@${name}${admin ? ' (admin)' : ''}`).join(', '))
    },
  })
}

function differences(now: MatrixUserState, { admin }: MatrixUser): string[] {
  return [
    ...(now.deactivated ? ['active again'] : []),
    ...(now.locked ? ['not locked'] : []),
    ...(now.admin === admin ? [] : [admin ? 'administrator' : 'no administrator']),
  ]
}

const explain = ({ stderr }: Output) => stderr.trim().split('\n').at(-1)?.slice(0, 300)
