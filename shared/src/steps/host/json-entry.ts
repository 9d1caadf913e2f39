import { isDeepStrictEqual } from 'node:util'
import { asUser } from '../../command/as-user.ts'
import { quote } from '../../command/sh.ts'
import { changes, create, type Dependency, refuse, type Step, step, update } from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { jsonEntries } from '../../facts/host/json-entry.ts'

export interface JsonEntriesOptions {
  readonly user: string
  /** The object at the top of the file that holds the entries. */
  readonly group: string
  readonly entries: Readonly<Record<string, unknown>>
  /** Keys of an entry that hold no secrets, whoever wrote it: what they say is shown where it differs. */
  readonly plain?: readonly string[]
  readonly dependsOn?: readonly Dependency[]
}

// Beside its place, private from birth; a link is followed to the file that it leads to.
const program = `import json, os, sys, tempfile
path, group, entries = sys.argv[1:]
path = os.path.realpath(os.path.expanduser(path))
try:
    with open(path, encoding="utf-8") as file:
        whole = json.load(file)
        mode = os.fstat(file.fileno()).st_mode & 0o7777
except FileNotFoundError:
    whole, mode = {}, 0o600
whole.setdefault(group, {}).update(json.loads(entries))
handle, draft = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".infra.")
try:
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(whole, file, indent=2, ensure_ascii=False)
        file.write("\\n")
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    os.replace(draft, path)
except BaseException:
    os.unlink(draft)
    raise`

/**
 * Entries in a JSON file that belongs to a user's program and holds more than ours, maybe secrets: the rest is kept as it
 * is and never leaves the host, and what an entry said before is shown by its names. A file that is not a JSON object is refused: what it held would be lost.
 */
export function jsonFileEntries(on: Target, path: string, options: JsonEntriesOptions): Step {
  const { user, group, entries, plain = [], dependsOn = [] } = options
  const names = Object.keys(entries)
  return step({
    id: `${group} in ${path} of ${user}`,
    on,
    dependsOn,
    ask: { now: jsonEntries(user, path, group, entries, plain) },
    plan({ now }) {
      if (now.kind === 'unreadable')
        return refuse(
          `${path} of ${user} is not a JSON object with ${group} in it`,
          `Mend it by hand (python3 -m json.tool ${path} says where), or move it away.`,
        )
      const differing = names.filter((name) => !isDeepStrictEqual(now.entries[name], entries[name]))
      const desired = JSON.stringify(Object.fromEntries(differing.map((name) => [name, entries[name]])))
      const write = asUser(user, `exec python3 -I -B -c ${quote(program)} "$@"`, [path, group, desired])
      const verb = differing.some((name) => name in now.entries) ? update : create
      const diff = { kind: 'text', path, before: pretty(now.entries), after: pretty(entries) } as const
      return changes(
        differing.length > 0 ? [verb(`${group} in ${path}: ${differing.join(', ')}`, write, { diff })] : [],
        names.join(', '),
      )
    },
  })
}

const pretty = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
