import { askUser, isNoUser } from '../../command/as-user.ts'
import { jsonAnswer } from '../../command/json-answer.ts'
import { quote } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface JsonFileState {
  /** `unreadable`: it is there, but holds no JSON object. */
  readonly kind: 'absent' | 'unreadable' | 'object'
  /** The entries that were asked for, by name; what differs from the desired is `[not shown]`, but for its names. */
  readonly entries: Readonly<Record<string, unknown>>
  /** Octal. */
  readonly mode: string | undefined
}

// Equal to the desired only where all of it is: what is hidden is not part of what is desired.
const program = `import json, os, stat, sys
path, group, desired, plain = sys.argv[1:]
path, desired, plain = os.path.expanduser(path), json.loads(desired), plain.split()
out = {"kind": "absent", "entries": {}}
def word(value):
    return isinstance(value, str) and len(value.split()) == 1 and "=" not in value
def shown(held, desired, plain=()):
    if isinstance(held, dict):
        known = desired if isinstance(desired, dict) else {}
        return {key: value if key in plain and word(value) else shown(value, known.get(key)) for key, value in held.items()}
    if isinstance(held, list):
        known = desired if isinstance(desired, list) else []
        return [shown(each, known[at] if at < len(known) else None) for at, each in enumerate(held)]
    return held if type(held) is type(desired) and held == desired else "[not shown]"
try:
    # A pipe would be waited for, and what is this large is no settings file.
    state = os.stat(path)
    if not stat.S_ISREG(state.st_mode) or state.st_size > 33554432:
        raise ValueError(path)
    with open(path, encoding="utf-8") as file:
        out["mode"] = format(os.fstat(file.fileno()).st_mode & 0o7777, "04o")
        text = file.read()
    held = json.loads(text).get(group, {})
    out["entries"] = {name: shown(held.get(name), desired[name], plain) for name in desired if name in held.keys()}
    out["kind"] = "object"
except FileNotFoundError:
    pass
except (ValueError, AttributeError, OSError, RecursionError):
    out["kind"] = "unreadable"
print(json.dumps(out))`

/**
 * Some entries of a group (an object at the top) of a JSON file that belongs to a user's program, read as that user. What
 * else the file holds, and what of these entries differs from the desired, secrets perhaps, does not leave the host: only
 * names do, and what the keys in `plain` say in a word. `path` may begin with `~`.
 */
export function jsonEntries(
  user: string,
  path: string,
  group: string,
  desired: Readonly<Record<string, unknown>>,
  plain: readonly string[] = [],
): Question<JsonFileState> {
  const words = [path, group, JSON.stringify(desired), plain.join(' ')]
  return {
    command: askUser(user, `exec python3 -I -B -c ${quote(program)} "$@"`, words),
    parse(answer) {
      if (isNoUser(answer)) return { kind: 'absent', entries: {}, mode: undefined }
      if (answer.code !== 0) throw new Error(answer.stderr.trim() || `exit code ${answer.code}`)
      return jsonAnswer<JsonFileState>(answer.stdout, 'a file of JSON')
    },
  }
}
