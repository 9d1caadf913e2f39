import { asUser, isNoUser } from '../command/as-user.ts'
import { quote } from '../command/sh.ts'
import type { Question } from '../engine/step.ts'

export interface JsonFileState {
  /** `unreadable`: it is there, but holds no JSON object. */
  readonly kind: 'absent' | 'unreadable' | 'object'
  /** The entries that were asked for, by name. */
  readonly entries: Readonly<Record<string, unknown>>
  /** Octal. */
  readonly mode: string | undefined
}

const program = `import json, os, sys
path, group, *names = sys.argv[1:]
path = os.path.expanduser(path)
out = {"kind": "absent", "entries": {}}
try:
    with open(path, encoding="utf-8") as file:
        out["mode"] = format(os.fstat(file.fileno()).st_mode & 0o7777, "04o")
        text = file.read()
    held = json.loads(text).get(group, {})
    out["entries"] = {name: held.get(name) for name in names if name in held.keys()}
    out["kind"] = "object"
except FileNotFoundError:
    pass
except (ValueError, AttributeError, OSError):
    out["kind"] = "unreadable"
print(json.dumps(out))`

/**
 * Some entries of a group (an object at the top) of a JSON file that belongs to a user's program, read as that user. What
 * else the file holds, secrets perhaps, does not leave the host. `path` may begin with `~`.
 */
export function jsonEntries(
  user: string,
  path: string,
  group: string,
  names: readonly string[],
): Question<JsonFileState> {
  return {
    command: asUser(user, `exec python3 -I -B -c ${quote(program)} "$@"`, [path, group, ...names]),
    parse(answer) {
      if (isNoUser(answer)) return { kind: 'absent', entries: {}, mode: undefined }
      if (answer.code !== 0) throw new Error(answer.stderr.trim() || `exit code ${answer.code}`)
      return JSON.parse(answer.stdout) as JsonFileState
    },
  }
}
